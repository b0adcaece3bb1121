/**
 * A summary as one HTML file, which needs no other file and no network.
 *
 * @module
 */

import { VERSION } from "../../../core/version.ts";
import { UPLOT_LICENSE, UPLOT_SCRIPT, UPLOT_STYLE } from "../../plot/uplot.ts";
import { count, spanText } from "../figures.ts";
import { placed } from "../placed.ts";
import type { LogSummary } from "../summary.ts";
import type { TimeLineFigures } from "../time_line.ts";
import { element, escapeHtml } from "./element.ts";
import { PLOT_SCRIPT } from "./plot_script.ts";
import { STYLE } from "./style.ts";
import { callsTable, cleanupsTable, failuresTable, levelsTable, processesTable, timeLineTable } from "./tables.ts";
import { stackGroups } from "./stacks.ts";

/** Nothing is fetched from anywhere, whatever a log's text may hold. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export function htmlReport(summary: LogSummary, { title }: { readonly title: string }): string {
  const { timeLine, crashes, cleanupErrors, others } = summary;
  const parts = [
    section(
      "Trouble over time",
      plot("trouble", "Retried calls, failed calls, crashes and other trouble"),
    ),
    section(
      "Calls",
      plot("calls", "Answered calls"),
      plot("latency", "Latency of answered calls"),
      callsTable(summary),
    ),
    section("Failed calls by cause", failuresTable(summary)),
    section("Crashes", stackGroups(crashes, others.crashes)),
    section("Cleanups", cleanupsTable(summary), stackGroups(cleanupErrors, others.cleanupErrors)),
    section("Processes", processesTable(summary)),
    section("Events", levelsTable(summary)),
    section(
      `Every ${spanText(timeLine.widthMs || 1_000)}, as numbers`,
      details("The numbers of the plots", timeLineTable(timeLine)),
    ),
    section("Lines that are no event's", unread(summary)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(title)}</title>
<style>${UPLOT_STYLE}</style>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>${element("h1", title)}${head(summary)}</header>
<main id="main">
${parts.join("\n")}
</main>
<footer>
<p>Written by brokkr ${VERSION}. Times are those of the log. Plots: uPlot.</p>
${details("License of uPlot", element("pre", UPLOT_LICENSE))}
</footer>
<script type="application/json" id="data">${json(asWritten(timeLine))}</script>
<script>${UPLOT_SCRIPT}</script>
<script>${PLOT_SCRIPT}</script>
</body>
</html>
`;
}

function head({ files, first, last, events, filtered, lines, unread }: LogSummary): string {
  const left = filtered === 0 ? "" : ` of ${count(events + filtered)}`;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    element("p", first === null ? "No event fits." : `${first} to ${last}`),
    element(
      "p",
      `${count(lines)} lines (${(bytes / 1e6).toFixed(1)} MB), ${count(events)}${left} events, ${
        count(unread)
      } lines not read`,
    ),
    details(
      `${count(files.length)} ${files.length === 1 ? "file" : "files"}`,
      `<ul>${
        files.map(({ name, lines, broken }) =>
          element("li", `${name}: ${count(lines)} lines${broken === null ? "" : `, not read to its end: ${broken}`}`)
        ).join("")
      }</ul>`,
    ),
  ].join("\n");
}

function section(title: string, ...parts: readonly (string | null)[]): string {
  const body = parts.filter((part) => part !== null).join("\n");
  return body === "" ? "" : `<section>\n${element("h2", title)}\n${body}\n</section>`;
}

/** Its numbers stand in a table, which is what a screen reader gets. */
function plot(id: string, caption: string): string {
  return `<figure><figcaption id="${id}-caption">${escapeHtml(caption)}</figcaption>` +
    `<div class="plot" id="${id}" role="img" aria-labelledby="${id}-caption"></div></figure>`;
}

function details(title: string, body: string): string {
  return `<details>${element("summary", title)}${body}</details>`;
}

function unread({ unread, unreadSamples }: LogSummary): string | null {
  if (unread === 0) return null;
  const text = `${count(unread)} lines; brokkr logs --unread shows all of them. The first ones:`;
  return `${element("p", text)}${element("pre", unreadSamples.map((one) => placed(one.text, one)).join("\n"))}`;
}

/** Times as the log has them, in whatever zone the report is looked at: moved as if the log's zone were UTC. */
function asWritten({ widthMs, spans }: TimeLineFigures): TimeLineFigures {
  const shift = new Date(spans[0]?.time ?? 0).getTimezoneOffset() * 60_000;
  return { widthMs, spans: spans.map((span) => ({ ...span, time: span.time - shift })) };
}

/** In a script element only `<` could end it. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
