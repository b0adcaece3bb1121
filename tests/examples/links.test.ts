import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { ROOT } from "./command.ts";
import { allPages, textOf } from "./pages.ts";

const PAGES = [...await allPages(), "CONTRIBUTING.md", "CHANGELOG.md"];

test("every link from page to page, to a file or to a picture leads somewhere, down to the heading", async () => {
  let links = 0;
  for (const page of PAGES) {
    for (const target of linksIn(await textOf(page))) {
      const [path = "", heading] = target.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path));
      assert.ok(existsSync(join(ROOT, file)), `${page}: there is no ${target}`);
      if (heading !== undefined) {
        assert.ok(anchorsIn(await textOf(file)).includes(heading), `${page}: there is no heading ${target}`);
      }
      links++;
    }
  }
  assert.ok(links > 100, `only ${links} links were found`);
});

test("every path of the repository that a page names is there", async () => {
  // The compiled suite has a link to it.
  const sources = dirname(await realpath(join(ROOT, "deno.json")));
  let paths = 0;
  for (const page of await allPages()) {
    for (
      const [, path = ""] of (await textOf(page)).matchAll(
        /`((?:bench|docs|examples|schema|scripts|src|tests)\/[^`\s*]+)`/g,
      )
    ) {
      assert.ok(existsSync(join(sources, path)), `${page}: there is no ${path}`);
      paths++;
    }
  }
  assert.ok(paths > 10, String(paths));
});

test("README.md shows every picture of docs/pictures, each with a text that says what is seen", async () => {
  const readme = await textOf("README.md");
  const pictures = [...readme.matchAll(/!\[([^\]]+)\]\((docs\/pictures\/[^)]+)\)/g)].map(([, , path]) => path);
  const inHtml = [...readme.matchAll(/(?:srcset|src)="(docs\/pictures\/[^"]+)"/g)].map(([, path]) => path);
  assert.deepEqual([...pictures, ...inHtml].sort(), [
    "docs/pictures/log-report.png",
    "docs/pictures/page-dark.png",
    "docs/pictures/page-light.png",
    "docs/pictures/top.png",
  ]);
  for (const path of [...pictures, ...inHtml]) assert.ok(existsSync(join(ROOT, path ?? "")), path);
  for (const [image] of readme.matchAll(/<img [^>]*>/g)) assert.match(image, / alt="[^"]{20,}"/);
});

/** Targets within the repository, which are in no block of code. */
function linksIn(text: string): string[] {
  const prose = text.replace(/^ *```.*?^ *```$/gms, "").replace(/`[^`]*`/g, "`");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target).filter((target) =>
    !/^\w+:/.test(target)
  );
}

/** As GitHub names headings. */
function anchorsIn(text: string): string[] {
  const headings = [...text.replace(/^ *```.*?^ *```$/gms, "").matchAll(/^#+ (.*)$/gm)];
  return headings.map(([, title = ""]) => title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"));
}
