/**
 * Writes docs/pictures/page-light.png, page-dark.png and log-report.png: the page of `brokkr run --page` at work, and the report of
 * `brokkr logs --html`. Needs Chromium.
 *
 *     deno task pictures
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { visit } from "../../tests/cli/page/browser.ts";
import { ROOT } from "../command.ts";

/** For the plots to have something to show. */
const AT_WORK_MS = 25_000;
const CLI = ["run", "-A", join(ROOT, "cli.ts")];

async function write(page: Page, name: string): Promise<void> {
  const bytes = await page.screenshot({ path: join(ROOT, "docs/pictures", `${name}.png`) });
  console.log(`docs/pictures/${name}.png: ${bytes.length} bytes`);
}

const folder = await Deno.makeTempDir({ prefix: "brokkr-pictures-" });
const program = new Deno.Command(Deno.execPath(), {
  args: [...CLI, "run", join(ROOT, "scripts/pictures/program.ts"), "--page", "127.0.0.1:0"],
  env: { XDG_RUNTIME_DIR: folder },
  stdout: "null",
  stderr: "piped",
}).spawn();
try {
  const { value } = await program.stderr.pipeThrough(new TextDecoderStream()).getReader().read();
  const [url = ""] = /http:\S+/.exec(value ?? "") ?? [];
  await visit(url, { width: 1200, height: 1180 }, async (page) => {
    await page.waitForTimeout(AT_WORK_MS);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(3_000);
      await write(page, `page-${colorScheme}`);
    }
  });
  const report = join(folder, "report.html");
  const args = [...CLI, "logs", "broker.log.1", "broker.log", "--html", report];
  await new Deno.Command(Deno.execPath(), { args, cwd: join(ROOT, "tests/fixtures/log/night") }).output();
  await visit(pathToFileURL(report).href, { width: 1200, height: 1100 }, async (page) => {
    await page.waitForTimeout(2_000);
    await write(page, "log-report");
  });
} finally {
  program.kill("SIGTERM");
  await program.status;
  await Deno.remove(folder, { recursive: true });
}
