import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { allPages, type Block, blocksOf } from "./pages.ts";
import { isOfBytes, isOfConfiguration, isOfLogLines, isOfTypeScript, SHOWN, TRIED } from "./trials.ts";

const ENDING = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const pages = await allPages();
const blocks = (await Promise.all(pages.map(blocksOf))).flat();

test("every block of every page is tried by a test, or said to show what nothing can try", () => {
  assert.ok(blocks.length > 150, String(blocks.length));
  const missed = blocks.filter((block) => !isTried(block) && !SHOWN.some((shown) => isShown(block, shown)));
  assert.deepEqual(
    missed.map(({ page, line, part }) => `${page}:${line}: nothing tries this block under "${part}"`),
    [],
  );
});

test("every part that is said to be tried has a block, and its test names it", async () => {
  for (const [page, parts] of Object.entries(TRIED)) {
    for (const [part, name] of Object.entries(parts)) {
      assert.ok(
        blocks.some((block) => block.page === page && block.part === part),
        `${page} has no block under "${part}"`,
      );
      // The second tier is in Deno only.
      if (name.startsWith("../world/") && ENDING !== ".ts") continue;
      const source = await readFile(new URL(`./${name}.test${ENDING}`, import.meta.url), "utf8");
      // These go over all pages.
      if (source.includes("allPages()")) continue;
      const [, example] = /^examples\/([\w-]+)\//.exec(page) ?? [];
      const named = example === undefined
        ? source.includes(page) && (source.includes(part) || ofBytes(page, part))
        : source.includes(example);
      assert.ok(named, `${name}.test${ENDING} does not name ${page}, ${part}`);
    }
  }
});

test("every block that is said to show what nothing can try is there", () => {
  for (const shown of SHOWN) {
    assert.equal(blocks.filter((block) => isShown(block, shown)).length, 1, `${shown.page}: ${shown.begins}`);
    assert.ok(shown.because.length > 10, shown.begins);
  }
});

function isTried(block: Block): boolean {
  if (isOfLogLines(block) || isOfTypeScript(block) || isOfBytes(block) || isOfConfiguration(block)) return true;
  return TRIED[block.page]?.[block.part] !== undefined && !SHOWN.some((shown) => isShown(block, shown));
}

function isShown({ page, text }: Block, shown: { page: string; begins: string }): boolean {
  return page === shown.page && text.startsWith(shown.begins);
}

/** Parts whose blocks are dumps, and the JSON behind each: their test goes over all of them. */
function ofBytes(page: string, part: string): boolean {
  return blocks.some((block) => block.page === page && block.part === part && isOfBytes(block));
}
