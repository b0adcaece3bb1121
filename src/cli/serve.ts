/** `brokkr serve`: serves a module as a JSON-RPC 2.0 program, so that any client can call its commands. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BrokerCore } from "../core/broker/broker.ts";
import { checkOptions } from "../core/broker/options.ts";
import { progressTo } from "../core/call/server.ts";
import { exposeBroker } from "../core/control/server.ts";
import { BrokerError, CallTimeoutError, ProcessGoneError, RemoteError, UnknownCommandError } from "../core/faults.ts";
import { isRecord } from "../core/checks.ts";
import { Connection, type Conventions, type Notification } from "../core/program/connection.ts";
import { LSP_CONVENTIONS, MCP_CONVENTIONS } from "../core/program/protocols.ts";
import { type Framing, MODULE } from "../core/settings/settings.ts";
import { type ErrorFields, fromParams, type Params, RpcCode } from "../core/program/message.ts";
import { messageOf } from "../core/user_code.ts";
import { plainText } from "../core/wire/codec.ts";
import type { Channel, ChannelEvents, Clock, Runtime } from "../runtime/runtime.ts";
import { asUsage, CliError, ExitCode } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";
import type { Context } from "./connect.ts";
import { requireCode } from "./config/module_path.ts";
import { loadAnyModule } from "./module_files.ts";
import { offerLibrary } from "./own_program.ts";
import process from "node:process";
import { Inbox } from "../runtime/posix/channel.ts";
import { divertOutput, outputFailure } from "./output.ts";

/** The broker's name in log lines. */
const BROKER = "brokkr-serve";
/** Clients have their own timeouts; this one only ends what hangs. */
const DEFAULT_TIMEOUT_MS = 60_000;

export async function serve(runtime: Runtime, args: ArgsOf<"serve">, { depth }: Context): Promise<number> {
  const { file, framing, timeoutMs = DEFAULT_TIMEOUT_MS } = args;
  requireCode(runtime, file, { action: "serve", what: "a module's file" });
  await offerLibrary(runtime);
  return await serveModule(runtime, { file, framing, timeoutMs, depth });
}

interface ServeModuleOptions {
  readonly file: string;
  /** By default, the framing of the client's first message. */
  readonly framing: Framing | undefined;
  readonly timeoutMs: number;
  readonly depth: number;
}

/** Settles when the client has closed its side and every request is answered, or the module can't run. */
async function serveModule(runtime: Runtime, options: ServeModuleOptions): Promise<number> {
  const { clock } = runtime;
  const channel = new StandardChannel();
  const core = await newBroker(runtime, options);
  core.whenStopped(() => channel.flushed());
  await exposeBroker(core, { runtime, control: false, signals: true });
  // Calls are made after the start only, so it takes nothing of their timeouts.
  await core.start();
  const { modules: [module] } = await core.status();
  const failed = module?.state === "failed";
  // Requests received so far are answered with the reason.
  const patience = failed ? new Promise<void>((resolve) => clock.soon(resolve)) : undefined;
  await converse(core, { channel, clock, framing: options.framing, patience });
  await core.stop();
  if (channel.failure !== null) throw channel.failure;
  return failed ? ExitCode.gone : ExitCode.done;
}

/** The broker loads the file too, as in any program, since it needs the module's settings. */
async function newBroker(runtime: Runtime, { file, timeoutMs, depth }: ServeModuleOptions): Promise<BrokerCore> {
  const url = pathToFileURL(resolve(file)).href;
  try {
    const module = await loadAnyModule(url).catch(async (error: unknown) => {
      const { syntaxError } = await import("./syntax_error.ts");
      const fault = syntaxError(error, url);
      const place = fault === null ? "" : `${fault.file}:${fault.line}:${fault.column}: `;
      const why = fault?.message ?? messageOf(error);
      throw why.startsWith("Cannot load ")
        ? error
        : new CliError(`${place}Cannot serve "${file}": ${why}`, { cause: error });
    });
    const plan = checkOptions({ name: BROKER, modules: [module], call: { timeoutMs } });
    const files = [[module.name, url]] as const;
    const given = { workers: null, keys: Object.keys(MODULE) };
    return new BrokerCore(plan, { runtime, depth, load: () => files, given: () => given });
  } catch (error) {
    throw asUsage(error);
  }
}

interface Conversation {
  readonly channel: StandardChannel;
  readonly clock: Clock;
  readonly framing: Framing | undefined;
  /** Ends the conversation; by default the client does. */
  readonly patience: Promise<void> | undefined;
}

/** Answers the client's requests; settles when all are answered. */
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
        const { params, ...progress } = withProgress(given, (notification) => connection.notify(notification));
        try {
          return await core.call(target, method, fromParams(params), { signal, ...progress });
        } catch (error) {
          throw answerError(error);
        }
      },
      notification({ method, params }) {
        // Methods with this prefix belong to the protocol and may be ignored. How others end is in the broker's log.
        if (!method.startsWith("$/")) core.call(target, method, fromParams(params)).catch(() => {});
      },
      drained() {},
      closed: end,
    },
  });
  await (patience ?? ended);
  await connection.idle();
}

/** Understands clients of both protocols. */
const CONVENTIONS: Conventions = {
  ...LSP_CONVENTIONS,
  cancelledId: (notification) => LSP_CONVENTIONS.cancelledId(notification) ?? MCP_CONVENTIONS.cancelledId(notification),
};

interface ProgressRequest {
  /** The command's parameters, without the token. */
  readonly params: Params;
  /** Sends the command's progress to the client; absent if it did not ask for it. */
  readonly onProgress?: (value: unknown) => void;
}

/**
 * A request of the Model Context Protocol asks for progress with `_meta.progressToken`, one of the Language Server Protocol with
 * `workDoneToken`. JSON-RPC itself has no progress.
 */
function withProgress(params: Params, notify: (notification: Notification) => void): ProgressRequest {
  if (params === undefined || !isRecord(params)) return { params };
  const { _meta: meta, workDoneToken, ...rest } = params;
  if (isRecord(meta) && isToken(meta["progressToken"])) {
    const { progressToken, ...others } = meta;
    const kept = Object.keys(others).length === 0 ? {} : { _meta: others };
    const lsp = workDoneToken === undefined ? {} : { workDoneToken };
    return { params: given({ ...rest, ...lsp, ...kept }), onProgress: mcpProgress(progressToken, notify) };
  }
  if (!isToken(workDoneToken)) return { params };
  return {
    params: given({ ...rest, ...(meta === undefined ? {} : { _meta: meta }) }),
    onProgress: progressTo({
      progress: (value) => notify({ method: "$/progress", params: { token: workDoneToken, value } }),
    }),
  };
}

/** `progress` must be a number that grows with each notification. */
function mcpProgress(progressToken: unknown, notify: (notification: Notification) => void): (value: unknown) => void {
  let count = 0;
  return progressTo({
    progress(value) {
      const params = { progressToken, ...shownProgress(value, count + 1) };
      notify({ method: "notifications/progress", params });
      count++;
    },
  });
}

/** The protocol allows a number, or an object with a number as `progress`; anything else is counted and sent as text. */
function shownProgress(value: unknown, count: number): Readonly<Record<string, unknown>> {
  if (typeof value === "number") return { progress: value };
  if (isRecord(value) && typeof value["progress"] === "number") return value;
  return { progress: count, message: typeof value === "string" ? value : plainText(value, "progress") ?? "" };
}

function isToken(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

/** A request with nothing but its token has no parameters. */
function given(params: Readonly<Record<string, unknown>>): Params {
  return Object.keys(params).length === 0 ? undefined : params;
}

/**
 * The code of the specification where there is one, else -32000. `data.code` is the code of the call's error; for the error of a
 * command, `data.name`, `data.stack` and `data.data` have its class, stack and data.
 */
function answerError(error: unknown): ErrorFields {
  if (!(error instanceof BrokerError)) {
    return { code: RpcCode.internal, message: messageOf(error) };
  }
  const { code, message } = error;
  return { code: numberOf(error), message: message || error.reason, data: { code, ...factsOf(error) } };
}

function numberOf(error: BrokerError): number {
  if (error.code === "UNKNOWN_COMMAND") return RpcCode.methodNotFound;
  return error.code === "CANCELLED" ? RpcCode.cancelled : RpcCode.server;
}

function factsOf(error: BrokerError): object {
  if (error instanceof RemoteError) {
    const { remoteName, remoteStack, data } = error;
    return { name: remoteName, stack: remoteStack, ...(data === undefined ? {} : { data }) };
  }
  if (error instanceof UnknownCommandError) return { nearest: error.nearest };
  if (error instanceof CallTimeoutError) return { timeoutMs: error.timeoutMs, peer: error.peer };
  if (error instanceof ProcessGoneError) {
    return { exitCode: error.exitCode, signal: error.signal, lastLines: error.lastLines };
  }
  return {};
}

/** Standard input and output as a channel. Nothing but the protocol writes to it. */
class StandardChannel implements Channel {
  readonly #inbox = new Inbox();
  /** The first chunk with more than white space, trimmed at its start; empty at the end of input. */
  readonly first: Promise<string>;
  readonly #write: typeof process.stdout.write;
  #wasLate = false;
  /** Why nothing can be written any more, unless the client closed its end. */
  failure: CliError | null = null;

  constructor() {
    this.#write = divertOutput().write;
    process.stdout.on("error", (error) => this.#failed(error));
    this.first = this.#read();
  }

  get unsentBytes(): number {
    return process.stdout.writableLength;
  }

  write(bytes: Uint8Array): void {
    try {
      this.#write(bytes, () => {
        if (!this.#wasLate || this.unsentBytes > 0) return;
        this.#wasLate = false;
        this.#inbox.drained();
      });
    } catch (error) {
      // Deno writes to files synchronously.
      this.#failed(error);
    }
    if (this.unsentBytes > 0) this.#wasLate = true;
  }

  /** Settles when everything is written, or can't be. */
  async flushed(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.failure !== null) return resolve();
      this.#write("", () => resolve());
      process.stdout.once("error", () => resolve());
    });
  }

  #failed(error: unknown): void {
    this.failure ??= outputFailure(error);
    this.#inbox.closed(error instanceof Error ? error : new Error(String(error)));
  }

  async #read(): Promise<string> {
    return await new Promise((resolve) => {
      const ended = (error?: Error) => {
        this.#inbox.closed(error);
        resolve("");
      };
      process.stdin.once("end", () => ended());
      process.stdin.once("error", ended);
      process.stdin.on("data", (chunk: Uint8Array) => {
        this.#inbox.data(chunk);
        const text = new TextDecoder().decode(chunk).trimStart();
        if (text !== "") resolve(text);
      });
    });
  }

  open(events: ChannelEvents): void {
    this.#inbox.open(events);
  }

  close(): void {}

  abort(): void {}
}
