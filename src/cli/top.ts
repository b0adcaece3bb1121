/**
 * `brokkr top`: the processes of a broker on the whole screen, live.
 *
 * @module
 */

import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command, constant, option } from "@optique/core/primitives";
import type { ControlClient } from "../core/control/client.ts";
import { RemoteError } from "../core/faults.ts";
import { messageOf } from "../core/thrown.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { askBroker } from "./connect.ts";
import { brokerOption } from "./options.ts";
import { hasColors } from "./output.ts";
import { status } from "./status.ts";
import { type Question, TopState } from "./top/state.ts";
import { Terminal } from "./top/terminal.ts";
import { screenLines } from "./top/view.ts";

const LOOK_MS = 1_000;
const LAST_RECORDS = 200;

export const topParser = command(
  "top",
  object({
    action: constant("top"),
    json: option("--json", { description: message`Print one JSON document a second instead, as status --watch does.` }),
    broker: brokerOption(),
  }),
  { brief: message`Watch the processes of a broker, restart and stop them`, footer: message`Example: brokkr top` },
);

export interface TopAsked {
  readonly json: boolean;
  readonly broker: string | undefined;
}

export async function top(runtime: Runtime, { json, broker }: TopAsked): Promise<number> {
  if (json) return await status(runtime, { json, watch: true, broker });
  if (!Terminal.isHere()) {
    throw new CliError(
      'Cannot draw: standard input and output are no terminal that can be drawn on; use "brokkr status --watch" or "brokkr top --json"',
      ExitCode.usage,
    );
  }
  return await askBroker(runtime, broker, (client) => watch(runtime, client));
}

async function watch(runtime: Runtime, client: ControlClient): Promise<number> {
  const state = new TopState();
  const leave = new AbortController();
  const colors = hasColors("stdout");
  const draw = () => terminal.draw(screenLines(state, terminal.size, colors));
  using terminal = new Terminal({
    key: (key) => {
      const wanted = state.press(key);
      if (wanted === "quit") leave.abort();
      else if (wanted !== null) void act(client, state, wanted).then(draw);
      draw();
    },
    resized: draw,
  });
  const hear = async () => {
    for (let last = LAST_RECORDS;; last = 0) {
      try {
        for await (const record of client.records({ level: "info", last }, leave.signal)) state.hear(record);
        return;
      } catch (error) {
        // Whoever was stopped for a while, and fell behind, goes on from here.
        if (!(error instanceof RemoteError)) throw error;
        state.notice = error.message;
        await pause(runtime, LOOK_MS, leave.signal);
      }
    }
  };
  const look = async () => {
    while (!leave.signal.aborted) {
      state.see(await client.status(), runtime.clock.now());
      draw();
      await pause(runtime, LOOK_MS, leave.signal);
    }
  };
  try {
    await Promise.race([hear(), look()]);
  } catch (error) {
    if (!leave.signal.aborted) throw error;
  }
  return ExitCode.done;
}

async function act(client: ControlClient, state: TopState, { action, name }: Question): Promise<void> {
  state.notice = `${action} ${name} …`;
  try {
    await client[action](name);
    state.notice = action === "restart" ? `${name} was started again` : `${name} was stopped`;
  } catch (error) {
    state.notice = messageOf(error);
  }
}

async function pause({ clock }: Runtime, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const clear = clock.timer(ms, resolve);
    signal.addEventListener("abort", () => {
      clear();
      resolve();
    }, { once: true });
  });
}
