import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { htmlReport } from "../../../src/cli/logs/html_report.ts";
import { Summary } from "../../../src/cli/logs/summary.ts";
import { UPLOT_LICENSE, UPLOT_SCRIPT, UPLOT_STYLE } from "../../../src/cli/page/embedded.ts";
import { LogReader } from "../../../src/core/log/log_reader.ts";
import { ROOT } from "../../process/program_files.ts";
import { inSandbox } from "../cli_process.ts";
import { NO_BROWSER, visit } from "../page/browser.ts";
import { isDrawn } from "../page/look.ts";

const SEEDS = ["new", "old"].map((age) =>
  fileURLToPath(new URL(`../../fixtures/log/seed-lines-${age}.log`, import.meta.url))
);

function reportOf(lines: readonly string[], name = "x.log"): string {
  const summary = new Summary(null);
  const reader = new LogReader();
  for (const item of [...lines.flatMap((line) => reader.push(line)), ...reader.end()]) summary.add(item);
  const files = [{ name, bytes: 1, lines: lines.length, broken: null }];
  return htmlReport(summary.result(files, { spans: 500 }), { title: `What happened: ${name}` });
}

/** The report without the plotting library, whose text names where it comes from. */
function ownPart(report: string): string {
  return report.replace(UPLOT_SCRIPT, "").replace(UPLOT_STYLE, "");
}

test("brokkr logs --html writes one file that fetches nothing and has the numbers, and prints the summary too", () =>
  inSandbox(async (sandbox) => {
    const out = join(sandbox.folder, "report.html");
    const { code, stdout, stderr } = await sandbox.run(["logs", ...SEEDS, "--html", out]);
    assert.deepEqual([code, stderr.replace(/\d+ kB/, "N kB")], [0, `Wrote ${out} (N kB)\n`]);
    assert.match(stdout, /^2 files: /);
    const report = readFileSync(out, "utf8");
    assert.doesNotMatch(ownPart(report), /https?:|@import|url\(|\bsrc=|<link|fetch\(|import\(/i);
    assert.match(report, /http-equiv="Content-Security-Policy" content="default-src 'none'; /);
    assert.ok(report.includes(UPLOT_SCRIPT) && report.includes(UPLOT_STYLE));
    assert.match(report, /<th scope="row">Livestatus<\/th><td>get_module_info<\/td><td class="number">6<\/td>/);
    assert.match(report, /<th scope="row">timeout \(1s\)<\/th>/);
    assert.match(report, /<summary>2× Exception<\/summary>/);
    assert.match(report, /<p>2020-11-17 09:12:11 to 2021-10-11 06:10:52<\/p>/);
  }));

test("htmlReport() has what each plot shows in a table, names for all regions, and both colour schemes", () => {
  const report = reportOf(readFileSync(SEEDS[0] ?? "", "utf8").trimEnd().split("\n"));
  assert.match(report, /<html lang="en">/);
  assert.match(report, /<a class="skip" href="#main">/);
  assert.match(report, /--text: light-dark\(#1b1f24, #e6edf3\);/);
  const plots = [...report.matchAll(/role="img" aria-labelledby="(\w+-caption)"/g)].map(([, id]) => id);
  assert.deepEqual(plots, ["trouble-caption", "calls-caption", "latency-caption"]);
  for (const id of plots) assert.match(report, new RegExp(`<figcaption id="${id}">[^<]+<`));
  const [, table = ""] = report.split("<caption>Trouble, calls and latency over time</caption>");
  assert.match(table, /^<thead><tr><th scope="col">from<\/th><th scope="col" class="number">retried<\/th>/);
  const data = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/.exec(report)?.[1] ?? "");
  assert.equal(table.split("<tr>").length - 2, data.spans.length);
});

test(
  "the report draws its plots, and says what the one under the pointer counts",
  { skip: NO_BROWSER },
  () =>
    inSandbox(async (sandbox) => {
      const out = join(sandbox.folder, "report.html");
      writeFileSync(out, reportOf(readFileSync(SEEDS[0] ?? "", "utf8").trimEnd().split("\n")));
      await visit(pathToFileURL(out).href, { width: 1_000, height: 800 }, async (page) => {
        for (const id of ["trouble", "calls", "latency"]) await isDrawn(page.locator(`#${id}`));
        await page.locator("#trouble").hover();
        await page.locator("#trouble").getByText("crashed").waitFor();
      });
    }),
);

test("htmlReport() shows text of the log as text, and a name of a file too", () => {
  const evil = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'&`;
  const line = "[2020-11-17 09:12:11] ERROR : [ D ] [ M ] [ COMMAND CALL ] [ PID:1 ] [ T ] " +
    `Failed to send command call [${evil}] for module ${evil} because of error: ${evil}`;
  const report = ownPart(reportOf([evil, line], `${evil}.log`));
  assert.equal(report.includes("<img"), false);
  assert.equal(report.split("<script").length, 4);
  assert.match(report, /&lt;\/script&gt;&lt;script&gt;alert\(1\)/);
});

test("htmlReport() of nothing is a page that says so", () => {
  assert.match(reportOf([]), /<p>No event matches\.<\/p>/);
});

test("the plotting library in the page is the one of the npm package", () => {
  const folder = `${ROOT}dev/node_modules/uplot`;
  assert.equal(UPLOT_SCRIPT, readFileSync(join(folder, "dist/uPlot.iife.min.js"), "utf8"));
  assert.equal(UPLOT_STYLE, readFileSync(join(folder, "dist/uPlot.min.css"), "utf8"));
  assert.equal(UPLOT_LICENSE, readFileSync(join(folder, "LICENSE"), "utf8"));
});
