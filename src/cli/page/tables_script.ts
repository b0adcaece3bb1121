/** The page's tables, in the browser. Cells that stay the same are left alone, so that nobody who reads them loses the place. */
export const TABLES_SCRIPT = String.raw`
"use strict";
const tables = (() => {
  const mib = (bytes) => bytes == null ? "–" : (bytes / 1048576).toFixed(1) + " MiB";
  const ms = (value) => value == null ? "–" : value < 10 ? value.toFixed(2) + " ms" : value < 1000 ? value.toFixed(0) + " ms" : (value / 1000).toFixed(2) + " s";
  const count = (value) => value.toLocaleString("en");
  const time = (value) => {
    const seconds = Math.floor(value / 1000);
    if (seconds < 60) return seconds + " s";
    if (seconds < 3600) return Math.floor(seconds / 60) + " min";
    return seconds < 86400 ? Math.floor(seconds / 3600) + " h" : Math.floor(seconds / 86400) + " d";
  };
  const hot = (value) => value > 0 ? "number hot" : "number";

  // Heading, text of a process, class of the cell.
  const processes = ["Processes: state, and private memory before and after the cleanup", [
    ["state", (one) => one.state + (one.blocked ? ", blocked" : "") + (one.nextRestartMs == null ? "" : ", starts in " + ms(one.nextRestartMs)), (one) => "state " + (one.blocked ? "blocked" : one.state)],
    ["pid", (one) => one.pid == null ? "–" : String(one.pid)],
    ["ready for", (one) => time(one.uptimeMs)],
    ["restarts", (one) => count(one.restarts), (one) => hot(one.restarts)],
    ["memory now", (one) => mib(one.memory.privateBytes)],
    ["before cleanup", (one) => mib(one.cleanup && one.cleanup.privateBytesBefore)],
    ["after cleanup", (one) => mib(one.cleanup && one.cleanup.privateBytesAfter)],
    ["cleanup took", (one) => ms(one.cleanup && one.cleanup.ms)],
    ["cleanup errors", (one) => one.cleanup ? count(one.cleanup.errors) : "–", (one) => hot(one.cleanup && one.cleanup.errors)],
  ]];
  const outcome = (name, isBad) => [name, (one) => count(one.calls[name]), isBad ? (one) => hot(one.calls[name]) : undefined];
  const calls = ["Calls since the start by outcome, answers that no call waited for, and latency", [
    outcome("ok"), outcome("retried", true), outcome("timeout", true), outcome("error", true), outcome("cancelled"),
    outcome("late"), outcome("duplicate"), outcome("unknown"),
    ["p50", (one) => ms(one.latencyMs.p50)], ["p99", (one) => ms(one.latencyMs.p99)],
  ]];

  function make(name, text, attributes = {}) {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  function set(element, text, className) {
    if (element.textContent !== text) element.textContent = text;
    if (element.className !== className) element.className = className;
  }

  /** Rows of these processes; new ones only where they have changed. */
  function rows(table, [caption, columns], shown) {
    const names = JSON.stringify(shown.map(({ one, module }) => [module, one.name]));
    if (table.dataset.names === names) return;
    table.dataset.names = names;
    const head = make("tr", "");
    head.append(make("th", "process", { scope: "col" }));
    for (const [heading] of columns) head.append(make("th", heading, { scope: "col", class: heading === "state" ? "" : "number" }));
    const body = make("tbody", "");
    for (const { one, module } of shown) {
      const row = make("tr", "");
      const name = make("th", one.name, { scope: "row" });
      if (module !== null) {
        name.className = "worker";
        name.append(make("span", ", worker of " + module, { class: "hidden" }));
      }
      row.append(name, ...columns.map(() => make("td", "")));
      body.append(row);
    }
    const top = make("thead", "");
    top.append(head);
    table.replaceChildren(make("caption", caption), top, body);
  }

  function fill(id, kind, shown) {
    const table = document.getElementById(id);
    rows(table, kind, shown);
    shown.forEach(({ one }, index) => {
      kind[1].forEach(([, text, className = () => "number"], column) => {
        set(table.tBodies[0].rows[index].cells[column + 1], text(one), className(one));
      });
    });
  }

  const all = (status) => status.modules.flatMap((one) => [
    { one, module: null }, ...one.workers.map((worker) => ({ one: worker, module: one.name })),
  ]);

  /** What is wrong, in one sentence. */
  function health(status) {
    const shown = all(status).map(({ one }) => one);
    const wrong = shown.filter(({ state, blocked }) => state !== "ready" || blocked);
    if (wrong.length === 0) return [shown.length === 1 ? "The one process is ready" : "All " + shown.length + " processes are ready", true];
    const which = wrong.slice(0, 5).map(({ name, state, blocked }) => name + " is " + (blocked ? "blocked" : state === "backoff" ? "in backoff" : state)).join(", ");
    return [wrong.length + " of " + shown.length + " processes not ready: " + which + (wrong.length > 5 ? ", …" : ""), false];
  }

  return {
    set, ms, time,
    show(status) {
      fill("processes", processes, all(status));
      fill("calls", calls, all(status));
      const [text, isGood] = health(status);
      set(document.getElementById("health"), text, isGood ? "good" : "bad");
    },
  };
})();
`;
