/**
 * One run of a program of another language, from its parent's side: greeted by its protocol, serving, ended. What it asks and says of
 * its own accord goes to the user's functions.
 */

import type { CommandProcess, OutputSink } from "../../runtime/runtime.ts";
import { type LocalPeer, localPeer } from "../call/local.ts";
import type { SessionParts } from "../child/child_spec.ts";
import { SILENT } from "../log/reporter.ts";
import { describeThrown } from "../log/stack.ts";
import { headline, messageOf } from "../user_code.ts";
import { VERSION } from "../version.ts";
import type { Link } from "../wire/link.ts";
import { ForeignSession } from "./daemon.ts";
import { Connection, type Notification } from "./connection.ts";
import { JsonRpcError, type Params } from "./message.ts";
import { methodNotFound, written } from "./peer_requests.ts";
import type { ProgramPlan } from "../module/definition.ts";
import { ProgramService } from "./service.ts";
import { type Protocol, protocolOf } from "./protocols.ts";

export class ProgramSession extends ForeignSession<CommandProcess> {
  readonly #protocol: Protocol;
  #connection: Connection | undefined;
  #service: ProgramService | undefined;
  #peer: LocalPeer | undefined;
  /** Whether its output has ended: it can't answer any more. */
  #outputEnded = false;

  constructor(parts: SessionParts, plan: ProgramPlan) {
    super(parts, plan);
    this.#protocol = protocolOf(plan.protocol);
  }

  get link(): Link | undefined {
    return this.#peer?.link;
  }

  get heardAt(): number {
    return this.#connection?.heardAt ?? 0;
  }

  drain(): void {
    // There is nothing to finish, and what does not speak yet, as npx, looks at no end of its input.
    if (this.state === "starting") {
      this.giveUp();
      this.#connection?.close();
      return;
    }
    this.beginShutdown();
    void this.#shutDown();
  }

  /** By a request that its protocol has for it. */
  get ping(): (() => void) | null {
    const { ping } = this.#protocol;
    const connection = this.#connection;
    if (ping === undefined || connection === undefined) return null;
    return () => void answered(ping(connection)).then(() => this.parts.events.alive(), () => {});
  }

  protected override async create(
    { group, output }: { readonly group: boolean; readonly output: OutputSink },
  ): Promise<CommandProcess> {
    const { parent, env, cwd } = this.parts.spec;
    return await parent.runtime.spawnCommand(this.plan.command, { env: env(""), cwd: cwd(), group, output });
  }

  protected override connect({ channel }: CommandProcess): void {
    const { spec: { module, parent: { runtime } }, caller, events } = this.parts;
    const { plan } = this;
    const { clock, ownFiles } = runtime;
    const connection = new Connection(channel, {
      clock,
      framing: plan.framing,
      mayPrint: plan.framing === "newline",
      conventions: this.#protocol.conventions,
      events: {
        stray: (text) => void this.printed("stdout", new TextEncoder().encode(`${text}\n`)),
        dropped: (what) => events.dropped(what, 1),
        notification: (notification) => this.#notified(notification),
        request: (method, params, signal) => {
          // What it asks for may be a module's that waits for this one's place.
          events.cleaned();
          return this.#asked(method, params, signal);
        },
        drained: () => this.#peer?.drained(),
        closed: (reason, failed) => this.#closed(reason, failed),
      },
    });
    const service = new ProgramService(connection, plan.protocol);
    const { ping } = this.#protocol;
    this.#connection = connection;
    this.#service = service;
    this.#peer = localPeer({
      clock,
      caller,
      codec: "text",
      ownFiles,
      // The caller reports how the call ended; the program's own pid could not stand in a line of this process.
      reporter: SILENT,
      service,
      module,
      peer: module,
      unsentBytes: () => connection.unsentBytes,
      ping: ping === undefined ? () => new Promise(() => {}) : () => answered(ping(connection)),
    });
    this.begin(() => this.#greet());
  }

  async #greet(): Promise<void> {
    const { runtime } = this.parts.spec.parent;
    const { plan } = this;
    const { initialize } = this.#protocol;
    const connection = this.#connection;
    if (connection === undefined || this.state !== "starting") return;
    try {
      const client = { version: VERSION, pid: runtime.pid, requests: [...plan.requests.keys()] };
      if (initialize !== undefined) {
        this.#service?.greeted(await initialize(connection, { ...client, initialize: plan.initialize }));
      }
      this.becomeReady();
    } catch (error) {
      const why = messageOf(error);
      // Where the program has ended, its exit says more.
      if (!this.#outputEnded) this.kill("SIGKILL", `initialize failed: ${why}`);
    }
  }

  /** @throws whatever the user's handler throws, which is the answer's error. */
  async #asked(method: string, params: Params, signal: AbortSignal): Promise<unknown> {
    const handler = this.plan.requests.get(method);
    if (handler === undefined) {
      const answer = this.#protocol.requests.get(method);
      if (answer === undefined) throw methodNotFound(method);
      return answer();
    }
    try {
      // What can't be answered is logged here too, and not only sent to the program.
      return written(await handler(params, { signal }), "result");
    } catch (error) {
      this.#handlerFailed(`request "${method}"`, error);
      throw error;
    }
  }

  #notified({ method, params }: Notification): void {
    const { module, parent: { reporter } } = this.parts.spec;
    void this.#handle(method, params);
    if (!reporter.wants("program.notification")) return;
    reporter.report("program.notification", { process: module, method, params: params ?? null }, { module });
  }

  async #handle(method: string, params: Params): Promise<void> {
    try {
      await this.plan.notifications.get(method)?.(params);
    } catch (error) {
      this.#handlerFailed(`notification "${method}"`, error);
    }
  }

  #handlerFailed(what: string, error: unknown): void {
    const { module, parent: { reporter } } = this.parts.spec;
    const text = `the handler of ${what} failed: ${headline(describeThrown(error))}`;
    reporter.report("module.error", { text }, { module });
  }

  /** What runs is finished; then the program is asked to end as its protocol wants it. */
  async #shutDown(): Promise<void> {
    const wasReady = this.state === "ready";
    this.state = "ending";
    const connection = this.#connection;
    if (connection === undefined) return this.kill("SIGTERM");
    try {
      this.#peer?.link.flush();
      await new Promise<void>((resolve) => this.#soon(resolve));
      await this.#service?.idle();
      if (wasReady) await this.#protocol.shutdown?.(connection);
    } catch {
      // It ends all the same.
    }
    connection.close();
  }

  #closed(reason: string | null, failed: boolean): void {
    this.#outputEnded = true;
    // A write may meet the end of the program before its exit is seen, which says more than the write.
    const fault = failed ? null : reason;
    if (this.state === "ending") this.closed(fault);
    else this.closed(fault, () => reason ?? "process closed its output and went on");
  }

  protected override get isOpen(): boolean {
    return !this.#outputEnded;
  }

  protected override async disconnect(): Promise<void> {
    this.#connection?.close();
    // Answers that came with the last bytes are on their way to their callers.
    await new Promise<void>((resolve) => this.#soon(resolve));
    this.#peer?.close();
  }

  #soon(fn: () => void): void {
    this.parts.spec.parent.runtime.clock.soon(fn);
  }
}

/** A program that refuses a ping is alive: `ping` is in the specification, and not in every server. */
async function answered(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof JsonRpcError)) throw error;
  }
}
