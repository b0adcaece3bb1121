import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { brokerConfig, inSandbox, type Sandbox } from "../cli_process.ts";
import { NO_BROWSER, visit } from "./browser.ts";
import { contrastOf, isDrawn } from "./look.ts";
import { pageOf } from "./page_of.ts";
import { sampleCluster, sampleMember } from "../sample_cluster.ts";
import { sampleStatus } from "./sample_status.ts";

const BROWSER = { skip: NO_BROWSER };
const RUN = ["run", brokerConfig, "--page"];
const WIDE = { width: 1280, height: 1600 };
const TOKEN = "a-token-of-this-test";

/** Lines of what is read out that have a role and no name, though they need one. */
const NAMELESS = /- (?:region|table|img|combobox|checkbox|link|heading|columnheader|rowheader)(?! ").*$/gm;

/** One after the other in the plot of the latency. */
const LATENCIES = [[0.019, 0.022], [0.2, 191], [0.136, 3.71], [1, 1], [0.032, 68_719], [99.9, 1_000], [
  1.35,
  126,
]] as const;

/** What the broker would send a browser that connects, for each of the latencies. */
function latencyEvents(): string {
  const calls = { ok: 1, retried: 0, timeout: 0, error: 0, cancelled: 0 };
  return LATENCIES.map(([p50, p99]) => {
    const first = { time: 1e12, calls, p50, p99, memory: {} };
    const moments = [first, { ...first, time: 1e12 + 2_000, p50: p50 * 1.1 }];
    return `event: start\ndata: ${JSON.stringify({ status: null, moments, entries: [] })}\n\n`;
  }).join("");
}

/** Looks at the page of a broker whose processes are ready. */
function onPage(size: { width: number; height: number }, look: (page: Page, sandbox: Sandbox) => Promise<void>) {
  return inSandbox(async (sandbox) => {
    const broker = await sandbox.broker([...RUN, "127.0.0.1:0"]);
    await visit(pageOf(broker), size, async (page) => {
      await page.getByText("All 4 processes are ready").waitFor();
      await look(page, sandbox);
    });
  });
}

/** The row of a process in the first table. */
function rowOf(page: Page, name: string | RegExp): Locator {
  const processes = page.getByRole("table", { name: /^Processes: state/ });
  return processes.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: true }) });
}

/** What has the focus, as it is read out. */
async function focused(page: Page): Promise<string> {
  const [, name = ""] = /^- (.*?)(?: \[.*)?:?$/m.exec(await page.locator(":focus").ariaSnapshot()) ?? [];
  return name;
}

test(
  "the page shows every process, what becomes of it, and its figures as plots",
  BROWSER,
  () =>
    onPage(WIDE, async (page, sandbox) => {
      assert.equal(await page.title(), "brokkr: cli-test");
      const ready = page.getByRole("cell", { name: "ready", exact: true });
      for (const name of ["sla", "Livestatus", /^Livestatus-1 ?, worker of Livestatus$/, /^Livestatus-2 ?, worker/]) {
        await rowOf(page, name).filter({ has: ready }).waitFor();
      }
      await sandbox.run(["call", "sla", "greet", "you"]);
      await page.getByRole("row", { name: /^sla 1 0 0 / }).waitFor();

      const { modules: [{ pid }] } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
      process.kill(pid, "SIGKILL");
      await page.getByRole("listitem").filter({ hasText: "process was killed by SIGKILL" }).waitFor();
      const again = rowOf(page, "sla").filter({ has: ready }).filter({
        hasNot: page.getByText(String(pid), { exact: true }),
      });
      await again.filter({ has: page.getByRole("cell", { name: "1", exact: true }) }).waitFor();

      for (const name of ["Calls to modules per second, by outcome", "Latency of answered calls", /^Private memory/]) {
        await isDrawn(page.getByRole("img", { name }));
      }
    }),
);

test("the page draws the latency whatever the figures are", BROWSER, () =>
  onPage(WIDE, async (page) => {
    const contentType = "text/event-stream";
    await page.route("**/events", (route) => route.fulfill({ contentType, body: latencyEvents() }));
    await page.reload();
    await page.getByText(/at most 1.49 ms just now, 99 of 100 at most 126 ms/).waitFor();
  }));

test(
  "the page shows the brokers of the cluster, and what this one calls of theirs",
  BROWSER,
  () =>
    onPage(WIDE, async (page) => {
      const cluster = sampleCluster({ members: [sampleMember("web-2", { state: "suspect" }), sampleMember("web-1")] });
      const data = JSON.stringify({ status: { ...sampleStatus(), cluster }, moments: [], entries: [] });
      const contentType = "text/event-stream";
      await page.route("**/events", (route) => route.fulfill({ contentType, body: `event: start\ndata: ${data}\n\n` }));
      await page.reload();
      const rows = page.getByRole("table", { name: /^Brokers: state/ }).getByRole("row");
      await rows.filter({ hasText: /^front.*ready.*–nothing$/ }).waitFor();
      assert.deepEqual((await rows.allTextContents()).slice(2), [
        "web-1webready1 min412 ms agosla (ready, 2 pending)",
        "web-2websuspect1 min412 ms agosla (ready, 2 pending)",
      ]);
      assert.equal(await rows.nth(3).getByRole("cell", { name: "suspect" }).getAttribute("class"), "state backoff");
      const called = page.getByRole("table", { name: /^Imported modules/ }).getByRole("row");
      assert.deepEqual((await called.allTextContents()).slice(1), ["slaweb-137120.50 ms21 ms"]);
      assert.equal(
        await called.nth(1).getByRole("cell", { name: "2", exact: true }).getAttribute("class"),
        "number hot",
      );
    }),
);

test("the page can be used by keyboard alone", BROWSER, () =>
  onPage(WIDE, async (page, sandbox) => {
    const line = (text: string) => page.getByRole("listitem").filter({ hasText: text }).first();
    const tabTo = async (what: string) => {
      await page.keyboard.press("Tab");
      assert.equal(await focused(page), what);
    };
    await line("The broker is ready").waitFor();
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    await line("no such month").waitFor();
    await tabTo('link "Skip to the processes"');
    await page.keyboard.press("Enter");
    await tabTo('region "Processes and their memory"');
    await tabTo('region "Calls by process"');
    await tabTo('combobox "Show"');
    await page.keyboard.type("errors");
    await line("The broker is ready").waitFor({ state: "hidden" });
    await line("no such month").waitFor();
    await tabTo('checkbox "Hold"');
    await page.keyboard.press("Space");
    await sandbox.run(["call", "sla", "crash", "while it is held"]);
    await page.getByRole("row", { name: /^sla 0 0 0 2 / }).waitFor();
    assert.equal(await line("while it is held").count(), 0);
    await page.keyboard.press("Space");
    await line("while it is held").waitFor();
    await tabTo('region "Last lines of the log, the newest first"');
  }));

test(
  "the page names everything to a screen reader, and says how the broker is",
  BROWSER,
  () =>
    onPage(WIDE, async (page) => {
      await isDrawn(page.getByRole("img", { name: "Latency of answered calls" }));
      const read = await page.locator("body").ariaSnapshot();
      assert.match(read, /- status: Live\n/);
      assert.match(read, /- main:\n\s+- status: All 4 processes are ready\n/);
      assert.match(read, /- row "sla ready \d+ .*":\n\s+- rowheader "sla"\n\s+- cell "ready"\n/);
      // What is within a picture is not read out.
      assert.deepEqual(read.replace(/(- img ".*"):\n[^]*?(?=- paragraph)/g, "$1\n").match(NAMELESS), null);
    }),
);

test(
  "the page fits a narrow window, and can be read in a light and in a dark scheme",
  BROWSER,
  () =>
    onPage({ width: 320, height: 700 }, async (page) => {
      const latency = page.getByRole("img", { name: "Latency of answered calls" });
      await isDrawn(latency);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 320);
      const backgrounds = new Set<string>();
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        for (const text of ["cli-test", "All 4 processes are ready", "Live", "Show", "Latency of answered calls"]) {
          const { background, ratio } = await contrastOf(page.getByText(text, { exact: true }).first());
          assert.ok(ratio >= 4.5, `"${text}" in the ${colorScheme} scheme: ${ratio}`);
          if (text === "cli-test") backgrounds.add(background);
        }
        await isDrawn(latency);
        // A line of the plot has the color of its scheme, as the marker of its legend has.
        const marker = latency.locator(".u-marker").nth(1);
        const color = colorScheme === "light" ? "rgb(26, 127, 55)" : "rgb(86, 211, 100)";
        await marker.and(page.locator(`[style="border: 2px solid ${color};"]`)).waitFor({ state: "attached" });
      }
      assert.equal(backgrounds.size, 2);
    }),
);

test(
  "the page says that its broker went away, and shows the next one at its address",
  BROWSER,
  () =>
    inSandbox(async (sandbox) => {
      const first = await sandbox.broker([...RUN, "127.0.0.1:0"]);
      const url = pageOf(first);
      await visit(url, { ...WIDE, mayFail: true }, async (page) => {
        await page.getByText("All 4 processes are ready").waitFor();
        first.kill("SIGKILL");
        await page.getByText("No connection to the broker; these figures are old. Trying again").waitFor();
        await page.getByText(`pid ${first.child.pid}`).waitFor();
        const next = await sandbox.broker([...RUN, new URL(url).host]);
        await page.getByText("Live", { exact: true }).waitFor();
        await page.getByText(`pid ${next.child.pid}`).waitFor();
        await page.getByText("All 4 processes are ready").waitFor();
      });
    }),
);

test("the page with a token asks for it, and opens to whoever has it", BROWSER, () =>
  inSandbox(async (sandbox) => {
    const env = { BROKKR_PAGE_TOKEN: TOKEN };
    const url = pageOf(await sandbox.broker([...RUN, "127.0.0.1:0"], { env }));
    // The browser tells the answers 401 as errors.
    await visit(url, { ...WIDE, mayFail: true }, async (page) => {
      await page.getByLabel("Token").fill("a wrong one");
      await page.keyboard.press("Enter");
      assert.equal(await page.getByRole("alert").textContent(), "That is not the token.");
      await page.getByLabel("Token").fill(TOKEN);
      await page.getByRole("button", { name: "Open the page" }).click();
      await page.getByText("All 4 processes are ready").waitFor();
      assert.equal(page.url(), url);
    });
  }));
