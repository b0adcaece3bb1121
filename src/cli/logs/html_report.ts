/** A summary as a single HTML file, which loads nothing else. */

import { VERSION } from "../../core/version.ts";
import { count, spanText } from "../figures.ts";
import { REPORT_SCRIPT, REPORT_STYLE, UPLOT_LICENSE, UPLOT_SCRIPT, UPLOT_STYLE } from "../page/embedded.ts";
import { percentileTexts } from "./counts.ts";
import { type Group, placeOf, type StackFacts } from "./groups.ts";
import { placed } from "./print_lines.ts";
import type { LogSummary } from "./summary.ts";
import { type TimeLineFigures, TROUBLES } from "./time_line.ts";

/** Nothing is loaded from anywhere, whatever the log's texts contain. */
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
<style>${REPORT_STYLE}</style>
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
<script>${REPORT_SCRIPT}</script>
</body>
</html>
`;
}

function head({ files, first, last, events, filtered, lines, unread }: LogSummary): string {
  const left = filtered === 0 ? "" : ` of ${count(events + filtered)}`;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    element("p", first === null ? "No event matches." : `${first} to ${last}`),
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

/** A screen reader gets its numbers from a table. */
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

/** Shifts times as if the log's zone were UTC, so that a reader in any zone sees them as in the log. */
function asWritten({ widthMs, spans }: TimeLineFigures): TimeLineFigures {
  const shift = new Date(spans[0]?.time ?? 0).getTimezoneOffset() * 60_000;
  return { widthMs, spans: spans.map((span) => ({ ...span, time: span.time - shift })) };
}

/** Only `<` could end the script element. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

const PERCENTILES = ["p50", "p90", "p99", "max"];

function levelsTable({ levels, byEvent }: LogSummary): string | null {
  const rows = [
    ...Object.entries(levels).reverse().map(([level, times]) => [level.toUpperCase(), times] as const),
    ...Object.entries(byEvent).sort(([, a], [, b]) => b - a),
  ];
  return htmlTable(
    "Events by level, and by what they are",
    ["event", "count"],
    rows.map(([name, n]) => [name, count(n)]),
  );
}

function callsTable({ commands }: LogSummary): string | null {
  const headings = [
    "module",
    "command",
    "calls",
    "retried",
    "timed out",
    "failed",
    "crashed",
    "unknown",
    ...PERCENTILES,
  ];
  const rows = commands.map((one) => [
    one.module,
    one.command,
    ...[one.calls, one.retried, one.timeouts, one.errors, one.crashed, one.unknown].map(count),
    ...percentileTexts(one.latencyMs, "–"),
  ]);
  return htmlTable("Calls by module and command", headings, rows, { names: 2 });
}

function failuresTable({ failures }: LogSummary): string | null {
  const rows = failures.map(({ facts, count: times, modules, commands, first, last }) => [
    facts.cause,
    modules.join(", "),
    commands.join(", "),
    first,
    last,
    count(times),
  ]);
  return htmlTable("Failed calls", ["cause", "module", "command", "first", "last", "count"], rows, { names: 5 });
}

function cleanupsTable({ modules }: LogSummary): string | null {
  const cleaned = modules.filter(({ cleanups }) => cleanups.count + cleanups.errors > 0);
  const rows = cleaned.map(({ name, cleanups }) => [
    name,
    count(cleanups.count),
    count(cleanups.errors),
    ...percentileTexts(cleanups.ms, "–"),
  ]);
  return htmlTable("Cleanups by module", ["module", "cleanups", "errors", ...PERCENTILES], rows);
}

function processesTable({ modules }: LogSummary): string | null {
  const started = modules.filter(({ processes: { starts, ended, failed } }) => starts + ended + failed > 0);
  const rows = started.map((
    { name, processes: { starts, ended, failed } },
  ) => [name, ...[starts, ended, failed].map(count)]);
  return htmlTable("Processes", ["process", "starts", "ended unexpectedly", "given up"], rows);
}

function timeLineTable({ spans }: TimeLineFigures): string {
  const rows = spans.map((span) => [
    span.from,
    ...TROUBLES.map((trouble) => count(span[trouble])),
    count(span.answered),
    ...percentileTexts(span.latencyMs, "–"),
  ]);
  return htmlTable("Trouble, calls and latency over time", ["from", ...TROUBLES, "answered", ...PERCENTILES], rows) ??
    "";
}

/** Each group as collapsible details, the most frequent first. */
function stackGroups(groups: readonly Group<StackFacts>[], others: number): string | null {
  if (groups.length === 0) return null;
  const shown = groups.map((group) => {
    const { facts, first, last } = group;
    return `<details>${element("summary", `${count(group.count)}× ${facts.message}`)}` +
      `${element("p", `In ${placeOf(group)}, ${first} to ${last}`)}${element("pre", facts.stack.join("\n"))}</details>`;
  });
  const rest = others === 0 ? "" : element("p", `And ${count(others)} more that are in no group.`);
  return shown.join("\n") + rest;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES.get(character) ?? character);
}

export function element(name: string, text: string): string {
  return `<${name}>${escapeHtml(text)}</${name}>`;
}

/** A table whose first `names` columns are names and all others numbers. */
function htmlTable(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { names = 1 }: { readonly names?: number } = {},
): string | null {
  if (rows.length === 0) return null;
  const head = headings.map((heading, index) =>
    `<th scope="col"${index < names ? "" : ' class="number"'}>${escapeHtml(heading)}</th>`
  ).join("");
  const body = rows.map((row) => `<tr>${row.map((text, index) => cell(text, index, names)).join("")}</tr>`).join("\n");
  // If wider than the page, it can be scrolled with the keyboard.
  return `<div class="table" tabindex="0" role="region" aria-label="${escapeHtml(caption)}"><table>` +
    `${element("caption", caption)}<thead><tr>${head}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

function cell(text: string, index: number, names: number): string {
  if (index === 0) return `<th scope="row">${escapeHtml(text)}</th>`;
  return index < names ? element("td", text) : `<td class="number">${escapeHtml(text)}</td>`;
}
