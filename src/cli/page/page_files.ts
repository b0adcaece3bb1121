import { UPLOT_SCRIPT, UPLOT_STYLE } from "../plot/uplot.ts";
import { PAGE_HTML } from "./page_html.ts";
import { PAGE_SCRIPT } from "./page_script.ts";
import { PAGE_STYLE } from "./page_style.ts";
import { PLOTS_SCRIPT } from "./plots_script.ts";
import { TABLES_SCRIPT } from "./tables_script.ts";

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0969da" d="M1 3h14v4h-5v3h3v4H3v-4h3V7H1z"/></svg>';

/** All that a browser loads: path, type and text. Each is a text in the program, so that a binary has it too. */
export const PAGE_FILES: readonly (readonly [path: string, type: string, body: string])[] = [
  ["/", HTML, PAGE_HTML],
  ["/page.css", STYLE, PAGE_STYLE],
  ["/uplot.css", STYLE, UPLOT_STYLE],
  ["/uplot.js", SCRIPT, UPLOT_SCRIPT],
  ["/plots.js", SCRIPT, PLOTS_SCRIPT],
  ["/tables.js", SCRIPT, TABLES_SCRIPT],
  ["/page.js", SCRIPT, PAGE_SCRIPT],
  ["/icon.svg", "image/svg+xml", ICON],
];
