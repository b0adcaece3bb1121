/** `brokkr top`: the processes of a broker, live, on the full screen. */

import type { ControlClient } from "../core/control/client.ts";
import { messageOf } from "../core/user_code.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError } from "./exit_codes.ts";
import { askBroker, type Context } from "./connect.ts";
import type { ArgsOf } from "./commands.ts";
import { hasColors } from "./output.ts";
import { status } from "./status.ts";
import { type Question, TopState } from "./top/state.ts";
import { Terminal } from "./top/terminal.ts";
import { screenLines } from "./top/view.ts";
import { watchBroker } from "./watch_broker.ts";

const STEP_MS = 1_000;
const LAST_RECORDS = 200;

export async function top(runtime: Runtime, { json, broker }: ArgsOf<"top">, context: Context): Promise<void> {
  if (json) return await status(runtime, { json, cluster: false, watch: true, broker }, context);
  const lacks = Terminal.lacks();
  if (lacks !== null) throw new CliError(`Cannot draw: ${lacks}; use "brokkr status --watch" or "brokkr top --json"`);
  return await askBroker(runtime, broker, (client) => watch(runtime, client));
}

async function watch(runtime: Runtime, client: ControlClient): Promise<void> {
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
  await watchBroker(client, {
    stepMs: STEP_MS,
    last: LAST_RECORDS,
    signal: leave.signal,
    status(status) {
      state.see(status, runtime.clock.now());
      draw();
    },
    record: (record) => state.hear(record),
    interrupted: (error) => state.notice = messageOf(error),
  });
}

async function act(client: ControlClient, state: TopState, { action, name }: Question): Promise<void> {
  state.notice = `${action} ${name} …`;
  try {
    await client[action](name);
    state.notice = action === "restart" ? `${name} was restarted` : `${name} was stopped`;
  } catch (error) {
    state.notice = messageOf(error);
  }
}
