/**
 * Writes src/cli/plot/uplot.ts, the plotting library as text: a page can have it inside wherever brokkr runs, in a binary too.
 *
 *     deno run -A scripts/inline_uplot.ts
 */

import { join } from "node:path";
import { DEV, ROOT } from "./command.ts";

const FOLDER = join(DEV, "node_modules/uplot");

const script = await Deno.readTextFile(join(FOLDER, "dist/uPlot.iife.min.js"));
const style = await Deno.readTextFile(join(FOLDER, "dist/uPlot.min.css"));
const license = await Deno.readTextFile(join(FOLDER, "LICENSE"));
if (/<\/script|<!--/i.test(script)) throw new Error("Cannot inline uPlot: its text would end the script element");

await Deno.writeTextFile(
  join(ROOT, "src/cli/plot/uplot.ts"),
  `// Written by scripts/inline_uplot.ts from the npm package uplot.

/** What pages have to show beside the library. */
export const UPLOT_LICENSE = ${JSON.stringify(license)};

/** Defines \`uPlot\`, in a script element. */
export const UPLOT_SCRIPT = ${JSON.stringify(script)};

/** In a style element. */
export const UPLOT_STYLE = ${JSON.stringify(style)};
`,
);
