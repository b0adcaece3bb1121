/**
 * `brokkr status`: shows the processes of a broker.
 *
 * @module
 */

import process from "node:process";
import type { BrokerStatus } from "../core/broker/status.ts";
import type { ProcessStatus } from "../core/wire/status.ts";
import { sleep } from "../core/duration.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { ExitCode } from "./cli_error.ts";
import { table } from "./columns.ts";
import { askBroker } from "./connect.ts";
import { mebibytes, milliseconds, shortTime } from "./figures.ts";
import type { ArgsOf } from "./commands.ts";
import { hasColors, print } from "./output.ts";
import { paintState } from "./paint.ts";

const WATCH_MS = 1_000;

export async function status(runtime: Runtime, { json, watch, broker }: ArgsOf<"status">): Promise<number> {
  return await askBroker(runtime, broker, async (client) => {
    const colors = hasColors("stdout");
    const clear = watch && !json && process.env["TERM"] !== "dumb";
    for (;;) {
      const now = await client.status();
      const text = json ? JSON.stringify(now) : statusTable(now, { colors });
      const isRead = await print(`${text}\n`, { clear });
      if (!watch || !isRead) return ExitCode.done;
      await sleep(runtime.clock, WATCH_MS);
    }
  });
}

const HEADINGS = [
  "NAME",
  "STATE",
  " PID",
  " RESTARTS",
  " UPTIME",
  " MEMORY",
  " OK",
  " ERR",
  " TIMEOUT",
  " P50",
  " P99",
];

export function statusTable(
  { broker, modules, standby = [] }: BrokerStatus,
  { colors }: { readonly colors: boolean },
): string {
  const processes = modules.flatMap((module) => [
    { status: module, name: module.name },
    ...module.workers.map((worker) => ({ status: worker, name: `  ${worker.name}` })),
  ]);
  const rows = processes.map(({ status, name }) => cellsOf(name, status));
  const lines = table(HEADINGS, rows, colors).split("\n").map((line, index) => {
    const state = processes[index - 1]?.status.state;
    return state === undefined ? line : line.replace(` ${state} `, ` ${paintState(state, state, colors)} `);
  });
  const ready = standby.map(({ pid, memory }) => `pid ${pid} (${mebibytes(memory.privateBytes ?? memory.rssBytes)})`);
  const waiting = ready.length === 0 ? [] : ["", `standby: ${ready.join(", ")}`];
  const { zombies } = broker;
  const left = zombies === null || zombies === 0 ? [] : [
    "",
    `${zombies} ${
      zombies === 1 ? "zombie" : "zombies"
    }: ended processes that nobody collects; run the container with ` +
    "an init, such as docker run --init",
  ];
  const head = `${broker.name}: pid ${broker.pid}, up ${
    shortTime(broker.uptimeMs)
  }, brokkr ${broker.version}, ${broker.runtime}`;
  return [head, "", ...lines, ...waiting, ...left].join("\n");
}

function cellsOf(name: string, status: ProcessStatus): string[] {
  const { state, pid, restarts, uptimeMs, memory, calls, latencyMs } = status;
  return [
    name,
    state,
    pid === null ? "-" : String(pid),
    String(restarts),
    state === "ready" ? shortTime(uptimeMs) : "-",
    // Without a figure for private memory, all resident memory is shown.
    mebibytes(memory.privateBytes ?? memory.rssBytes),
    String(calls.ok + calls.retried),
    String(calls.error),
    String(calls.timeout),
    milliseconds(latencyMs.p50),
    milliseconds(latencyMs.p99),
  ];
}
