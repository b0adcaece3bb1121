/** What keeps the page up to date, in the browser. */
export const PAGE_SCRIPT = String.raw`
"use strict";
(() => {
  const LINES = 200;
  const MOMENTS = 1800;
  const by = (id) => document.getElementById(id);
  const list = by("lines");
  let held = [];

  function show(status) {
    if (status === null) return;
    const { name, pid, uptimeMs, version, runtime } = status.broker;
    document.title = "brokkr: " + name;
    by("title").textContent = name;
    by("facts").textContent = "brokkr " + version + " on " + runtime + ", pid " + pid + ", up for " + tables.time(uptimeMs);
    tables.show(status);
  }

  function item({ level, text }) {
    const line = document.createElement("li");
    line.className = level;
    line.textContent = text;
    return line;
  }

  function add(entry) {
    if (by("hold").checked) {
      held.push(entry);
      if (held.length > LINES) held.shift();
      return;
    }
    list.prepend(item(entry));
    while (list.childElementCount > LINES) list.lastElementChild.remove();
  }

  by("hold").addEventListener("change", () => {
    for (const entry of held.splice(0)) add(entry);
  });
  by("level").addEventListener("change", () => { list.className = by("level").value; });
  list.className = by("level").value;

  function connection(text, isLost) {
    tables.set(by("connection"), text, isLost ? "lost" : "");
  }

  function connect() {
    const source = new EventSource("/events");
    const on = (name, use) => source.addEventListener(name, (event) => use(JSON.parse(event.data)));
    on("start", ({ status, moments, entries }) => {
      connection("Live", false);
      show(status);
      plots.begin(moments);
      held = [];
      list.replaceChildren(...entries.map(item).reverse());
    });
    on("status", ({ status, moment }) => {
      show(status);
      if (moment !== null) plots.add(moment, MOMENTS);
    });
    on("entry", add);
    source.onerror = () => {
      connection("No connection to the broker; what is shown is old. Trying again", true);
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    };
  }
  connect();
})();
`;
