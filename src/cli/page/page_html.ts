import { VERSION } from "../../core/version.ts";
import { element } from "../logs/html_report.ts";
import { UPLOT_LICENSE } from "../plot/uplot.ts";

/** What the scripts fill in. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>brokkr</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/uplot.css">
<link rel="stylesheet" href="/page.css">
<script defer src="/uplot.js"></script>
<script defer src="/plots.js"></script>
<script defer src="/tables.js"></script>
<script defer src="/page.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the processes</a>
<header>
<h1 id="title">brokkr</h1>
<p id="facts"></p>
<p><span id="connection" role="status">Connecting</span></p>
<noscript><p>Without JavaScript this page stays empty: see <a href="/metrics">/metrics</a>, or brokkr status.</p></noscript>
</header>
<main id="main" tabindex="-1">
<p id="health" role="status">Nothing is known yet</p>
<section aria-labelledby="processes-title">
<h2 id="processes-title">Processes</h2>
<div class="table" tabindex="0" role="region" aria-label="Processes and their memory"><table id="processes"></table></div>
</section>
<section aria-labelledby="calls-title">
<h2 id="calls-title">Calls</h2>
<div class="plots">
${plot("rates", "Calls to modules per second, by outcome")}
${plot("latency", "Latency of answered calls")}
</div>
<div class="table" tabindex="0" role="region" aria-label="Calls by process"><table id="calls"></table></div>
</section>
<section aria-labelledby="memory-title">
<h2 id="memory-title">Memory</h2>
<div class="plots">${plot("memory", "Private memory of the largest processes, in MiB")}</div>
</section>
<section aria-labelledby="lines-title">
<h2 id="lines-title">Last lines</h2>
<p class="choices"><label for="level">Show</label> <select id="level">
<option value="info">all lines</option><option value="warning">warnings and errors</option><option value="error">errors</option>
</select>
<label><input id="hold" type="checkbox"> Hold</label></p>
<div class="lines" tabindex="0" role="region" aria-label="Last lines of the log, the newest first"><ol id="lines"></ol></div>
</section>
</main>
<footer>
<p>brokkr ${VERSION}. For programs: <a href="/metrics">/metrics</a>, <a href="/healthz">/healthz</a>. Plots: uPlot.</p>
<details>${element("summary", "License of uPlot")}${element("pre", UPLOT_LICENSE)}</details>
</footer>
</body>
</html>
`;

/** What it shows is told in the sentence below it too. */
function plot(id: string, caption: string): string {
  return `<figure><figcaption id="${id}-caption">${caption}</figcaption>` +
    `<div class="plot" id="${id}" role="img" aria-labelledby="${id}-caption" aria-describedby="${id}-now"></div>` +
    `<p class="now" id="${id}-now">No figures yet</p></figure>`;
}
