/** Keeps the page up to date with the events that the broker sends. */

import type { BrokerStatus } from "../../../core/broker/status.ts";
import type { Entry, Start, Step } from "../history.ts";
import { byId, make, set, timeText } from "./elements.ts";
import { showCluster } from "./cluster.ts";
import { addToPlots, beginPlots } from "./plots.ts";
import { showProcesses } from "./processes.ts";

const MAX_LINES = 200;
const MAX_MOMENTS = 1800;
const AGAIN_MS = 5000;

const list = byId("lines", HTMLOListElement);
const hold = byId("hold", HTMLInputElement);
const level = byId("level", HTMLSelectElement);
let held: Entry[] = [];

function connect(): void {
  const source = new EventSource("/events");
  source.addEventListener("start", ({ data }) => {
    const { status, moments, entries }: Start = JSON.parse(data);
    showConnection("Live", false);
    show(status);
    beginPlots(moments);
    held = [];
    list.replaceChildren(...entries.map(lineOf).reverse());
  });
  source.addEventListener("status", ({ data }) => {
    const { status, moment }: Step = JSON.parse(data);
    show(status);
    if (moment !== null) addToPlots(moment, MAX_MOMENTS);
  });
  source.addEventListener("entry", ({ data }) => add(JSON.parse(data)));
  source.addEventListener("error", () => {
    showConnection("No connection to the broker; these figures are old. Trying again", true);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
  });
}

function showConnection(text: string, isLost: boolean): void {
  set(byId("connection", HTMLSpanElement), text, isLost ? "lost" : "");
}

function show(status: BrokerStatus | null): void {
  if (status === null) return;
  const { name, pid, uptimeMs, version, runtime } = status.broker;
  const { standby = [] } = status;
  document.title = `brokkr: ${name}`;
  byId("title", HTMLHeadingElement).textContent = name;
  byId("facts", HTMLParagraphElement).textContent = `brokkr ${version} on ${runtime}, pid ${pid}, up for ${
    timeText(uptimeMs)
  }${standby.length > 0 ? `, ${standby.length} standby` : ""}`;
  showProcesses(status);
  showCluster(status);
}

function add(entry: Entry): void {
  if (hold.checked) {
    held.push(entry);
    if (held.length > MAX_LINES) held.shift();
    return;
  }
  list.prepend(lineOf(entry));
  while (list.childElementCount > MAX_LINES) list.lastElementChild?.remove();
}

function lineOf({ level, text }: Entry): HTMLElement {
  return make("li", text, { class: level });
}

hold.addEventListener("change", () => {
  for (const entry of held.splice(0)) add(entry);
});
level.addEventListener("change", () => list.className = level.value);
list.className = level.value;
connect();
