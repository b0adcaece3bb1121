import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { brokerConfig, inSandbox } from "../cli_process.ts";
import { Browser, NO_BROWSER } from "./browser.ts";

/** Whether something was drawn on every plot. */
const DRAWN = `[...document.querySelectorAll("canvas")].length > 0 &&
  [...document.querySelectorAll("canvas")].every((canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0))`;
/** One after the other in the plot of the latency: what is drawn of them. */
const LATENCIES = `(async () => {
  const calls = { ok: 1, retried: 0, timeout: 0, error: 0, cancelled: 0 };
  for (const [p50, p99] of [[0.019, 0.022], [0.2, 191], [0.136, 3.71], [1, 1], [0.032, 68719], [99.9, 1000], [1.35, 126]]) {
    plots.begin([{ time: 1e12, calls, p50, p99, memory: {} }, { time: 1e12 + 2000, calls, p50: p50 * 1.1, p99, memory: {} }]);
    await new Promise((resolve) => setTimeout(resolve));
  }
  return document.getElementById("latency-now").textContent;
})()`;
const BACKGROUND =
  "getComputedStyle(document.documentElement).backgroundColor + getComputedStyle(document.body).backgroundColor";

test("the page shows every process, what becomes of it, and its figures as plots, by keyboard and in both schemes", {
  skip: NO_BROWSER,
}, () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(["run", brokerConfig, "--page", "127.0.0.1:0"]);
    const [, url = ""] = /^The page is at (http:\S+)$/m.exec(broker.stderr) ?? [];
    const browser = await Browser.open(url, { width: 1280, height: 1600 });
    try {
      const first = await browser.shows(/Livestatus-2/);
      for (const name of ["sla", "Livestatus", "Livestatus-1"]) assert.ok(first.includes(name), first);
      assert.equal(await browser.value("document.querySelectorAll('#processes tbody tr').length"), 4);
      await sandbox.run(["call", "sla", "greet", "you"]);
      const { modules } = JSON.parse((await sandbox.run(["status", "--json"])).stdout);
      process.kill(modules[0].pid, "SIGKILL");
      await browser.shows(/process was killed by SIGKILL/);
      while (await browser.value(DRAWN) !== true) await new Promise((resolve) => setTimeout(resolve, 200));
      assert.match(String(await browser.value(LATENCIES)), /at most 1.49 ms just now, 99 of 100 at most 126 ms/);
      await browser.prefer("light");
      const light = await browser.value(BACKGROUND);
      await browser.prefer("dark");
      assert.notEqual(await browser.value(BACKGROUND), light);
      await browser.press("Tab");
      assert.equal(await browser.value("document.activeElement.textContent"), "Skip to the processes");
      const nameless =
        "[...document.querySelectorAll('table, select, input, [role=img], [role=region]')].filter((one) => " +
        "!one.ariaLabel && !one.getAttribute('aria-labelledby') && !one.labels?.length && !one.caption && " +
        "!one.closest('[aria-label]') && !one.parentElement.closest('[role=img]')).map((one) => one.outerHTML.slice(0, 80))";
      assert.deepEqual(await browser.value(nameless), []);
      assert.deepEqual(browser.errors, []);
    } finally {
      await browser.close();
    }
  }));
