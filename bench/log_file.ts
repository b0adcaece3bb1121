/** A log as a broker with a dozen modules writes it at DEBUG: nearly all lines are calls that went well. */

import { formatEvent } from "../src/core/log/format.ts";
import type { LogEvent } from "../src/core/log/events.ts";

const START = new Date(2021, 9, 11, 6, 10, 52).getTime();
const MODULES = ["Livestatus", "sla", "WebUI", "graphite", "event-manager", "architecture", "rest-api", "syslog"];
const COMMANDS = ["get_module_info", "get_report", "get_all_state", "count_hosts", "list_elements", "render"];
const STYLE = { broker: "broker-master", product: "Shinken", aligned: false };
const STACK = [
  "Traceback (most recent call last):",
  '  File "/srv/broker/modules/sla.ts", line 120, in handle',
  '  File "/srv/broker/modules/sla.ts", line 93, in get_report',
  '  File "/srv/broker/modules/history.ts", line 41, in read',
  "TypeError: Cannot read properties of undefined (reading 'months')",
];
const EVENTS_PER_SECOND = 400;

/** Writes about `bytes` bytes to `path`. */
export async function writeLog(path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const random = new Random();
  const encoder = new TextEncoder();
  let events = 0;
  for (let written = 0; written < bytes;) {
    const lines: string[] = [];
    for (let count = 0; count < 5_000; count++) {
      lines.push(...formatEvent(eventOf(random, START + (events++ * 1_000) / EVENTS_PER_SECOND), STYLE));
    }
    const chunk = encoder.encode(`${lines.join("\n")}\n`);
    for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    written += chunk.length;
  }
}

function eventOf(random: Random, time: number): LogEvent {
  const module = MODULES[random.below(MODULES.length)] ?? "";
  const command = COMMANDS[random.below(COMMANDS.length)] ?? "";
  const head = { time, pid: 2_564, module, thread: `CP Server Thread-${random.below(8)}` };
  const inModule = { ...head, pid: 3_000 + MODULES.indexOf(module), thread: "MainThread" };
  const kind = random.below(1_000);
  if (kind < 480) {
    const ms = 2 ** random.below(12) + random.below(1_000) / 1_000;
    return { ...head, event: "call.answered", fields: { command, target: module, ms, attempts: 1 } };
  }
  if (kind < 970) {
    const params = `["host-${random.below(5_000)}",${random.below(100)}]`;
    return { ...inModule, event: "command.executing", fields: { command, params } };
  }
  if (kind < 985) {
    return { ...inModule, event: "module.info", fields: { text: `read ${random.below(9_999)} elements` } };
  }
  if (kind < 993) return { ...head, event: "call.retry", fields: { command, target: module, timeoutMs: 1_000 } };
  if (kind < 996) {
    const fields = { command, target: module, timeoutMs: 1_000, attempts: 2, sent: true, peer: "slow" } as const;
    return { ...head, event: "call.timeout", fields };
  }
  const message = STACK.at(-1)?.replace("TypeError: ", "") ?? "";
  return { ...inModule, event: "command.error", fields: { command, message, stack: STACK } };
}

/** Numbers that look random and are the same in each run (mulberry32). */
class Random {
  #state = 1;

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296 * below);
  }
}
