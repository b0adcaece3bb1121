/**
 * Writes docs/pictures/page-light.png, page-dark.png and log-report.png: the page of `brokkr run --page` at work, and the report of
 * `brokkr logs --html`. Needs Chromium.
 *
 *     deno task pictures
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Browser } from "../../tests/cli/page/browser.ts";
import { ROOT } from "../command.ts";

/** For the plots to have something to show. */
const AT_WORK_MS = 25_000;
const CLI = ["run", "-A", join(ROOT, "cli.ts")];

async function write(browser: Browser, name: string): Promise<void> {
  if (browser.errors.length > 0) throw new Error(`${name}: the page has errors: ${browser.errors.join("\n")}`);
  const bytes = Uint8Array.from(atob(await browser.picture()), (character) => character.charCodeAt(0));
  await Deno.writeFile(join(ROOT, "docs/pictures", `${name}.png`), bytes);
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
  const page = await Browser.open(url, { width: 1200, height: 1180 });
  await new Promise((resolve) => setTimeout(resolve, AT_WORK_MS));
  for (const scheme of ["light", "dark"] as const) {
    await page.prefer(scheme);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await write(page, `page-${scheme}`);
  }
  await page.close();
  const report = join(folder, "report.html");
  const args = [...CLI, "logs", "broker.log.1", "broker.log", "--html", report];
  await new Deno.Command(Deno.execPath(), { args, cwd: join(ROOT, "tests/fixtures/log/night") }).output();
  const opened = await Browser.open(pathToFileURL(report).href, { width: 1200, height: 1100 });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await write(opened, "log-report");
  await opened.close();
} finally {
  program.kill("SIGTERM");
  await program.status;
  await Deno.remove(folder, { recursive: true });
}
