/**
 * Writes src/cli/page/embedded.ts: the files of src/cli/page/assets and uPlot as texts, so that every form of brokkr has them, a
 * single binary too. `deno task check` says when they differ.
 *
 *     deno task assets
 */

import { join } from "node:path";
import { BUN, DEV, ROOT, run } from "./command.ts";

const ASSETS = join(ROOT, "src/cli/page/assets");
const UPLOT = join(DEV, "node_modules/uplot");
const EMBEDDED = join(ROOT, "src/cli/page/embedded.ts");

/** What src/cli/page/embedded.ts must export, by name, with its doc comment. */
async function assets(): Promise<[name: string, comment: string, text: string][]> {
  const asset = async (name: string) => await Deno.readTextFile(join(ASSETS, name));
  const uPlot = async (name: string) => await Deno.readTextFile(join(UPLOT, name));
  return [
    ["PAGE_HTML", "With comments in place of the version and of uPlot's license.", await asset("page.html")],
    ["LOGIN_HTML", "With a comment in place of the alert.", await asset("login.html")],
    ["ICON", "An SVG document.", await asset("icon.svg")],
    ["REPORT_STYLE", "The report's, and the first part of the page's.", await asset("report.css")],
    ["PAGE_STYLE", "The second part of the page's.", await asset("page.css")],
    ["PAGE_SCRIPT", "Needs `uPlot`.", await bundled("page.ts")],
    ["REPORT_SCRIPT", "Needs `uPlot`. For a script element.", inElement(await bundled("report.ts"))],
    ["UPLOT_SCRIPT", "Defines `uPlot`. For a script element.", inElement(await uPlot("dist/uPlot.iife.min.js"))],
    ["UPLOT_STYLE", "For a style element.", await uPlot("dist/uPlot.min.css")],
    ["UPLOT_LICENSE", "Shown by every page that has uPlot in it.", await uPlot("LICENSE")],
  ];
}

/** A script with all that it imports, for browsers. */
async function bundled(name: string): Promise<string> {
  const command = [BUN, "build", join(ASSETS, name), "--target=browser", "--format=iife", "--minify"];
  const { code, stdout, output } = await run(command);
  if (code !== 0) throw new Error(`Cannot bundle ${name}: bun ended with exit code ${code}\n${output}`);
  return stdout;
}

function inElement(script: string): string {
  if (/<\/script|<!--/i.test(script)) throw new Error("Cannot embed a script: its text would end the script element");
  return script;
}

/** What is wrong with src/cli/page/embedded.ts, a line each. */
export async function staleAssets(): Promise<string[]> {
  const embedded: Record<string, unknown> = await import("../src/cli/page/embedded.ts");
  const stale = (await assets()).filter(([name, , text]) => embedded[name] !== text).map(([name]) => name);
  if (stale.length === 0) return [];
  return [`src/cli/page/embedded.ts: ${stale.join(", ")} not as in src/cli/page/assets; run deno task assets`];
}

if (import.meta.main) {
  const texts = (await assets()).map(([name, comment, text]) =>
    `/** ${comment} */\nexport const ${name} =\n  ${JSON.stringify(text)};\n`
  );
  await Deno.writeTextFile(EMBEDDED, `// Written by scripts/embed_assets.ts: deno task assets\n\n${texts.join("\n")}`);
  await run([Deno.execPath(), "fmt", "--quiet", EMBEDDED]);
}
