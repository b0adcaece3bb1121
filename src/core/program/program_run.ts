/**
 * One life of a program of another language, from its father's side: spawned, greeted by its protocol, serving, ended.
 *
 * @module
 */

import type { CommandProcess, ExitStatus } from "../../runtime/runtime.ts";
import { type LocalPeer, localPeer } from "../call/local.ts";
import type { Link } from "../wire/link.ts";
import { GracefulShutdown } from "../child/shutdown.ts";
import { ProcessOutput } from "../child/output.ts";
import type { Run } from "../child/run.ts";
import { VERSION } from "../version.ts";
import { Connection } from "./connection.ts";
import { JsonRpcError } from "./json_rpc_error.ts";
import { type Protocol, protocolOf } from "./protocol.ts";
import { ProgramClient } from "./program_client.ts";
import type { ProgramRunOptions } from "./program_run_options.ts";
import { ProgramService } from "./program_service.ts";
import { messageOf } from "../thrown.ts";

/** A program that has ended its output can't answer: the time it has to end by itself. */
const WITHOUT_OUTPUT_MS = 1_000;
/** After the exit, the time for the last bytes of its output to arrive. */
const LAST_BYTES_MS = 100;
/** One that waits for a download keeps no processor busy: after this time others may start beside it. */
const COSTLY_START_MS = 2_000;
const SILENT = { wants: () => false, report: () => {} };

export class ProgramRun implements Run {
  readonly #options: ProgramRunOptions;
  readonly #protocol: Protocol;
  readonly #ending: GracefulShutdown;
  readonly #output: ProcessOutput;
  #process: CommandProcess | undefined;
  #connection: Connection | undefined;
  #service: ProgramService | undefined;
  #peer: LocalPeer | undefined;
  #state: "starting" | "ready" | "draining" | "exited" = "starting";
  #wasReady = false;
  #why: string | null = null;
  /** What a process gets that is not created yet. */
  #signalAtOnce: string | undefined;
  #outputEnded: (() => void) | undefined;
  #clearWait: (() => void) | undefined;
  #clearCostly: (() => void) | undefined;

  constructor(options: ProgramRunOptions) {
    const { events, runtime, deadlines, plan } = options;
    this.#options = options;
    this.#protocol = protocolOf(plan.protocol);
    this.#ending = new GracefulShutdown(runtime.clock, deadlines, { kill: (signal, why) => this.kill(signal, why) });
    this.#output = new ProcessOutput(runtime.clock, { limits: options.output, events });
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get link(): Link | undefined {
    return this.#peer?.link;
  }

  get heardAt(): number {
    return this.#connection?.heardAt ?? 0;
  }

  async spawn(): Promise<number> {
    const { runtime, plan, cwd, env } = this.#options;
    const process = await runtime.spawnCommand(plan.command, {
      env: env(""),
      cwd: cwd?.(),
      group: true,
      output: (stream, chunk) => this.#output.push(stream, chunk),
    });
    this.#process = process;
    this.#output.begin();
    if (this.#signalAtOnce !== undefined) process.kill(this.#signalAtOnce, { group: true });
    this.#connect(process);
    void process.exited.then((status) => this.#exited(status));
    // Whoever waits for this is told first that there is a process.
    runtime.clock.soon(() => void this.#greet());
    return process.pid;
  }

  kill(signal: string, why: string | null = null): void {
    this.#why ??= why;
    if (this.#process === undefined) this.#signalAtOnce = signal;
    else this.#process.kill(signal, { group: this.#killsGroup });
    if (why !== null && this.#state !== "exited") this.#options.events.killed(signal, why);
  }

  drain(): void {
    this.#ending.begin();
    void this.#shutDown();
  }

  /** By a request that its protocol has for it. */
  get ask(): (() => void) | null {
    const { ping } = this.#protocol;
    const connection = this.#connection;
    if (ping === undefined || connection === undefined) return null;
    return () => void answered(ping(connection)).then(() => this.#options.events.alive(), () => {});
  }

  /** What brokkr's own processes are told has no meaning for others. */
  notify(): void {}

  get #killsGroup(): boolean {
    return this.#options.descendants === "kill";
  }

  #connect({ channel }: CommandProcess): void {
    const { runtime, plan, reporter, module, caller, events } = this.#options;
    const client = new ProgramClient({ plan, protocol: this.#protocol, reporter, module });
    const { clock, ownFiles } = runtime;
    const connection = new Connection(channel, {
      clock,
      framing: plan.framing,
      mayPrint: plan.framing === "newline",
      conventions: this.#protocol.conventions,
      events: {
        stray: (text) => void this.#output.push("stdout", new TextEncoder().encode(`${text}\n`)),
        dropped: (what) => events.dropped(what, 1),
        notification: (notification) => client.notified(notification),
        request: (method, params, signal) => {
          // What it asks for may be a module's that waits for this one's place.
          events.cleaned();
          return client.asked(method, params, signal);
        },
        drained: () => this.#peer?.drained(),
        closed: (reason, failed) => this.#closed(reason, failed),
      },
    });
    const service = new ProgramService(connection);
    const { ping } = this.#protocol;
    this.#connection = connection;
    this.#service = service;
    this.#peer = localPeer({
      clock,
      caller,
      codec: "text",
      ownFiles,
      // Whoever calls tells how the call ended; the program's own pid could not stand in a line of this process.
      reporter: SILENT,
      service,
      module,
      peer: module,
      unsentBytes: () => connection.unsentBytes,
      ping: ping === undefined ? () => new Promise(() => {}) : () => answered(ping(connection)),
    });
  }

  async #greet(): Promise<void> {
    const { plan, runtime, events } = this.#options;
    const { initialize } = this.#protocol;
    const connection = this.#connection;
    if (connection === undefined || this.#state !== "starting") return;
    this.#clearCostly = runtime.clock.timer(COSTLY_START_MS, () => events.cleaned());
    try {
      const client = { version: VERSION, pid: runtime.pid, requests: [...plan.requests.keys()] };
      if (initialize !== undefined) {
        this.#service?.greeted(await initialize(connection, { ...client, initialize: plan.initialize }));
      }
      if (this.#state !== "starting") return;
      this.#state = "ready";
      this.#wasReady = true;
      this.#clearCostly();
      events.ready([], null);
    } catch (error) {
      const why = messageOf(error);
      // Where the program has ended, its exit tells more.
      if (this.#outputEnded === undefined) this.kill("SIGKILL", `initialize failed: ${why}`);
    }
  }

  /** What runs is finished; then the program is asked to end as its protocol wants it. */
  async #shutDown(): Promise<void> {
    const wasReady = this.#state === "ready";
    if (this.#state === "starting" || wasReady) this.#state = "draining";
    const connection = this.#connection;
    if (connection === undefined) return this.kill("SIGTERM");
    try {
      this.#peer?.link.flush();
      await new Promise<void>((resolve) => this.#options.runtime.clock.soon(resolve));
      await this.#service?.idle();
      if (wasReady) await this.#protocol.shutdown?.(connection);
    } catch {
      // It ends all the same.
    }
    connection.close();
  }

  /** The output of the program has ended: it can't answer any more. */
  #closed(reason: string | null, failed: boolean): void {
    this.#outputEnded?.();
    this.#outputEnded = () => {};
    // A write may meet the end of the program before its exit is seen, which tells more than the write.
    if (reason !== null && !failed) return this.kill("SIGKILL", reason);
    if (this.#state === "exited" || this.#state === "draining") return;
    const { clock } = this.#options.runtime;
    this.#clearWait = clock.timer(
      WITHOUT_OUTPUT_MS,
      () => this.kill("SIGKILL", reason ?? "process closed its output and went on"),
    );
  }

  async #exited(status: ExitStatus): Promise<void> {
    this.#state = "exited";
    this.#clearWait?.();
    this.#clearCostly?.();
    this.#ending.over();
    if (this.#outputEnded === undefined) await this.#lastBytes();
    if (this.#killsGroup) this.#process?.kill("SIGKILL", { group: true });
    this.#connection?.close();
    // Answers that came with the last bytes are on their way to their callers.
    await new Promise<void>((resolve) => this.#options.runtime.clock.soon(resolve));
    this.#peer?.close();
    this.#output.end();
    const { lastLines } = this.#output;
    this.#options.events.ended({ ...status, why: this.#why, cleaning: null, wasReady: this.#wasReady, lastLines });
  }

  async #lastBytes(): Promise<void> {
    await new Promise<void>((resolve) => {
      const clear = this.#options.runtime.clock.timer(LAST_BYTES_MS, resolve);
      this.#outputEnded = () => {
        clear();
        resolve();
      };
    });
  }
}

/** Who refuses what it was asked is alive: `ping` is in the specification, and not in every server. */
async function answered(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof JsonRpcError)) throw error;
  }
}
