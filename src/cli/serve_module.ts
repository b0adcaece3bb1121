/**
 * The broker behind `brokkr serve`: one module, whose commands are the methods of a JSON-RPC connection.
 *
 * @module
 */

import { BrokerCore } from "../core/broker/broker.ts";
import { attend } from "../core/control/attend.ts";
import { checkOptions } from "../core/broker/options.ts";
import { Connection } from "../core/program/connection.ts";
import { type Conventions, LSP_CONVENTIONS, MCP_CONVENTIONS } from "../core/program/conventions.ts";
import type { Framing } from "../core/program/framing.ts";
import { fromParams } from "../core/program/message.ts";
import type { Clock, Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { loadAnyModule } from "./load_module.ts";
import { answerError } from "./serve_errors.ts";
import { BROKER_SETTINGS } from "./serve_module_files.ts";
import { askedRequest } from "./serve_progress.ts";
import { StandardChannel } from "./serve_stdio.ts";
import { messageOf } from "../core/thrown.ts";

/** In the log lines. */
const BROKER = "brokkr-serve";

export interface ServeModuleOptions {
  readonly url: string;
  /** As the client's first message has it where it is left out. */
  readonly framing: Framing | undefined;
  readonly timeoutMs: number;
  readonly depth: number;
}

/** Settles when the client has ended its side and all that it asked is answered, or the module can't run. */
export async function serveModule(runtime: Runtime, options: ServeModuleOptions): Promise<number> {
  const { clock } = runtime;
  const channel = new StandardChannel();
  const core = await newBroker(runtime, options);
  core.whenStopped(() => channel.flushed());
  await attend(core, { runtime, control: false, signals: true });
  // No call is made before, so the start takes nothing of its time.
  await core.start();
  const { modules: [module] } = await core.status();
  const failed = module?.state === "failed";
  // What came until now is told the reason.
  const patience = failed ? new Promise<void>((resolve) => clock.soon(resolve)) : undefined;
  await converse(core, { channel, clock, framing: options.framing, patience });
  await core.stop();
  if (channel.failure !== null) throw channel.failure;
  return failed ? ExitCode.gone : ExitCode.done;
}

/** The file is loaded here too, as in any program of brokkr: its settings are the broker's to know. */
async function newBroker(runtime: Runtime, { url, timeoutMs, depth }: ServeModuleOptions): Promise<BrokerCore> {
  try {
    const module = await loadAnyModule(url);
    const plan = checkOptions({ name: BROKER, modules: [module], call: { timeoutMs } });
    const files = [[module.name, url]] as const;
    const given = { workers: null, keys: BROKER_SETTINGS };
    return new BrokerCore(plan, { runtime, depth, image: () => files, given: () => given });
  } catch (error) {
    throw new CliError(messageOf(error), ExitCode.usage, { cause: error });
  }
}

interface Conversation {
  readonly channel: StandardChannel;
  readonly clock: Clock;
  readonly framing: Framing | undefined;
  /** How long it lasts, where that is not until the client ends it. */
  readonly patience: Promise<void> | undefined;
}

/** Answers what the client asks; settles when all is answered. */
async function converse(core: BrokerCore, { channel, clock, framing, patience }: Conversation): Promise<void> {
  const first = await Promise.race([channel.first, ...(patience === undefined ? [] : [patience.then(() => "")])]);
  const [plan] = core.plan.modules;
  const target = plan?.module.name ?? "";
  let end = () => {};
  const ended = new Promise<void>((resolve) => end = resolve);
  const connection = new Connection(channel, {
    clock,
    framing: framing ?? (/^[[{]/.test(first) ? "newline" : "content-length"),
    conventions: CONVENTIONS,
    events: {
      stray: (_text, why) => connection.refuse(why),
      dropped: () => connection.refuse("parse"),
      async request(method, given, signal) {
        const { params, ...progress } = askedRequest(given, (notification) => connection.notify(notification));
        try {
          return await core.call(target, method, fromParams(params), { signal, ...progress });
        } catch (error) {
          throw answerError(error);
        }
      },
      notification({ method, params }) {
        // What begins so belongs to a protocol, and may be ignored. The broker's log tells how any other one ends.
        if (!method.startsWith("$/")) core.call(target, method, fromParams(params)).catch(() => {});
      },
      drained() {},
      closed: end,
    },
  });
  await (patience ?? ended);
  await connection.idle();
}

/** Clients of both families are understood. */
const CONVENTIONS: Conventions = {
  ...LSP_CONVENTIONS,
  cancelledId: (notification) => LSP_CONVENTIONS.cancelledId(notification) ?? MCP_CONVENTIONS.cancelledId(notification),
};
