/**
 * One run of a child process, from its parent's side: it is spawned, killed with all that it started, read to its last byte, and
 * ended, whatever it speaks. That of a module or worker speaks what `serve.ts` does, on the other side.
 */

import type { Channel, ExitStatus, OutputSink, ProgramProcess, SpawnedProcess } from "../../runtime/runtime.ts";
import { Link } from "../wire/link.ts";
import {
  type ControlFromChild,
  controlFromChild,
  type ControlFromParent,
  controlFromParent,
  END_SIGNALS,
  type EndSignal,
  EXIT_CODES,
  type Hello,
  helloOf,
  helloText,
  readCloseReason,
  readHello,
  readRecords,
} from "../wire/messages.ts";
import type { ChildSession, ProcessEnd, SessionParts } from "./child_spec.ts";
import { ProcessOutput } from "./output.ts";
import { CallServer } from "../call/server.ts";
import { readThrown } from "../faults.ts";
import { messageOf } from "../user_code.ts";
import { BodyError, CODECS, FrameType } from "../wire/frame.ts";
import { deadline, formatTimeout, sleep } from "../duration.ts";

/** A process whose channel has ended can't serve: the time it has to end by itself. */
const WITHOUT_CHANNEL_MS = 1_000;
/** From one look whether its group runs to the next: the first pause, and the longest. */
const GROUP_PAUSE_MS = 20;
const MAX_GROUP_PAUSE_MS = 200;

export interface SessionTraits {
  readonly group: boolean;
  /** After the exit, the time for the last bytes of channel and output to arrive. */
  readonly lastBytesMs: number;
}

export abstract class ProcessSession<P extends SpawnedProcess> implements ChildSession {
  protected readonly parts: SessionParts;
  /** Why the process ends, where brokkr knows it. */
  protected why: string | null = null;
  readonly #traits: SessionTraits;
  readonly #output: ProcessOutput;
  #clearDeadline: (() => void) | undefined;
  /** Until when what SIGTERM was sent to may take to end. */
  #killAt = 0;
  #process: P | undefined;
  /** The signal for a process that is not created yet. */
  #signalAtOnce: string | undefined;
  #hasExited = false;
  #settleLastBytes: (() => void) | undefined;
  #clearWait: (() => void) | undefined;

  constructor(parts: SessionParts, traits: SessionTraits) {
    const { spec: { parent: { runtime }, setup }, events } = parts;
    this.parts = parts;
    this.#traits = traits;
    this.#output = new ProcessOutput(runtime.clock, { limits: setup.output, events });
  }

  abstract readonly link: Link | undefined;
  abstract readonly heardAt: number;
  abstract readonly ping: (() => void) | null;
  abstract drain(signal?: EndSignal): void;
  abstract send(message: ControlFromParent): void;

  protected abstract create(traits: SessionTraits & { readonly output: OutputSink }): Promise<P>;
  protected abstract connect(process: P): void;
  /** Whether something may still come from the process. */
  protected abstract readonly isOpen: boolean;
  /** The process has exited; its last bytes may still come. */
  protected abstract exited(): void;
  /** The process has exited and nothing comes any more. */
  protected abstract disconnect(): Promise<void> | void;
  protected abstract readonly end: Omit<ProcessEnd, keyof ExitStatus | "lastLines">;

  /** Whether what it has started may do its work, as a server behind a shell does. */
  protected readonly isShared: boolean = false;

  /** Whether the process has sent nothing since it was asked to end. */
  protected isBlocked(): boolean {
    return false;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  async spawn(): Promise<number> {
    const { group } = this.#traits;
    const process = await this.create({ ...this.#traits, output: (stream, chunk) => this.printed(stream, chunk) });
    this.#process = process;
    this.#output.begin();
    if (this.#signalAtOnce !== undefined) process.kill(this.#signalAtOnce, { group });
    this.connect(process);
    void process.exited.then((status) => this.#exited(status));
    return process.pid;
  }

  kill(signal: string, why: string | null = null): void {
    this.why ??= why;
    if (this.#process === undefined) this.#signalAtOnce = signal;
    else this.#process.kill(signal, { group: this.#killsGroup });
    if (why !== null && !this.#hasExited) this.parts.events.killed(signal, why);
  }

  giveUp(why: string): void {
    this.kill("SIGKILL", why);
  }

  /** The process was asked to end: SIGTERM follows, where that was of no use, and then SIGKILL. */
  protected beginShutdown(): void {
    const { drainMs } = this.parts.spec.setup.supervision;
    this.#within(drainMs, () => {
      const why = `process did not drain in ${formatTimeout(drainMs)}`;
      // One that handles nothing would not see SIGTERM.
      if (this.isBlocked()) this.kill("SIGKILL", why);
      else this.terminate(why);
    });
  }

  protected terminate(why: string | null = null): void {
    const { parent: { runtime }, setup: { supervision: { killMs } } } = this.parts.spec;
    const late = `process did not end in ${formatTimeout(killMs)} after SIGTERM`;
    this.#within(killMs, () => this.kill("SIGKILL", late));
    this.#killAt = runtime.clock.now() + killMs;
    this.kill("SIGTERM", why);
  }

  #within(ms: number, late: () => void): void {
    this.#clearDeadline?.();
    this.#clearDeadline = deadline(this.parts.spec.parent.runtime.clock, ms, late);
  }

  protected printed(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<void> | undefined {
    return this.#output.push(stream, chunk);
  }

  /**
   * The channel has ended, through the fault of the process where there is one. With `why` a process that goes on without a channel is
   * killed.
   */
  protected closed(fault: string | null, why?: () => string): void {
    this.#settleLastBytes?.();
    if (fault !== null) return this.kill("SIGKILL", fault);
    if (this.#hasExited || why === undefined) return;
    const { clock } = this.parts.spec.parent.runtime;
    // Where this process had no time to listen, the exit may be there to be read.
    this.#clearWait = deadline(clock, WITHOUT_CHANNEL_MS, () => this.kill("SIGKILL", why()));
  }

  get #killsGroup(): boolean {
    return this.#traits.group && this.parts.spec.descendants === "kill";
  }

  async #exited(status: ExitStatus): Promise<void> {
    this.#hasExited = true;
    this.#clearWait?.();
    this.#clearDeadline?.();
    this.exited();
    if (this.isOpen) await this.#lastBytes();
    // Processes that it started and left behind end with it.
    if (this.#killsGroup) {
      if (this.isShared && isByTermination({ ...status, why: this.why })) this.#expectGroup();
      await this.#groupEnds();
      this.#clearDeadline?.();
      this.#process?.kill("SIGKILL", { group: true });
    }
    await this.disconnect();
    this.#output.end();
    this.parts.events.ended({ ...status, ...this.end, lastLines: this.#output.lastLines });
  }

  /** A signal that was for the whole tree, as systemd sends it, was for the rest of the group too. */
  #expectGroup(): void {
    const { parent: { runtime }, setup: { supervision: { killMs } } } = this.parts.spec;
    if (this.#killAt === 0) this.#killAt = runtime.clock.now() + killMs;
  }

  /** A shell or npm ends at once by a SIGTERM that what it started needs some time for. */
  async #groupEnds(): Promise<void> {
    const { parent: { runtime: { clock } }, setup: { supervision: { killMs } } } = this.parts.spec;
    if (this.#killAt <= clock.now()) return;
    for (let pauseMs = GROUP_PAUSE_MS; this.#process?.groupRuns() === true; pauseMs *= 2) {
      const leftMs = this.#killAt - clock.now();
      if (leftMs <= 0) {
        const why = `what it started did not end in ${formatTimeout(killMs)} after SIGTERM`;
        return this.parts.events.killed("SIGKILL", why);
      }
      await sleep(clock, Math.min(pauseMs, MAX_GROUP_PAUSE_MS, leftMs));
    }
  }

  async #lastBytes(): Promise<void> {
    const { clock } = this.parts.spec.parent.runtime;
    await new Promise<void>((resolve) => {
      const clear = clock.timer(this.#traits.lastBytesMs, resolve);
      this.#settleLastBytes = () => {
        clear();
        resolve();
      };
    });
  }
}

const LAST_BYTES_MS = 50;
/** For one cleanup, beyond the deadline that the process itself keeps where its event loop turns. */
const CLEANUP_GRACE_MS = 5_000;

const START_MESSAGES: readonly ControlFromChild["kind"][] = ["cleaning", "ready", "failed"];

export class ModuleSession extends ProcessSession<ProgramProcess> {
  #link: Link | undefined;
  #isGreeted = false;
  #madeServer: CallServer | undefined;
  /** The module whose cleanup it is in: the reason where it ends there. */
  #cleaning: string | null = null;
  #clearCleaning: (() => void) | undefined;
  /** Why the process ended its channel, by its own account: second to what brokkr knows itself. */
  #closeReason: string | null = null;
  #isLasting = false;
  #isReady = false;
  #isDraining = false;
  /** When it was asked to end, together with a ping. */
  #askedAt = 0;

  constructor(parts: SessionParts) {
    super(parts, { group: parts.spec.parent.guard !== null, lastBytesMs: LAST_BYTES_MS });
  }

  get link(): Link | undefined {
    return this.#link;
  }

  get heardAt(): number {
    return this.#link?.receivedAt ?? 0;
  }

  drain(signal?: EndSignal): void {
    this.#isDraining = true;
    // Calls that are still on their way out go first.
    this.#link?.flush();
    this.send({ kind: "stop", ...(signal === undefined ? {} : { signal }) });
    this.ping();
    this.#askedAt = this.parts.spec.parent.runtime.clock.now();
    this.beginShutdown();
  }

  readonly ping = (): void => {
    this.#link?.send(FrameType.ping, "1");
  };

  send(message: ControlFromParent): void {
    this.#link?.send(FrameType.notice, controlFromParent.text(message));
  }

  protected override async create(
    { group, output }: { readonly group: boolean; readonly output: OutputSink },
  ): Promise<ProgramProcess> {
    const { spec } = this.parts;
    const { parent, program, cwd, sandbox, flags, collects, env } = spec;
    const standby = await parent.standbys?.take(spec, output) ?? null;
    if (standby !== null) return standby;
    return await parent.runtime.spawnProgram({ program, cwd: cwd(), sandbox, flags, collects, env, group, output });
  }

  protected override connect({ channel }: ProgramProcess): void {
    channel.then((open) => this.#open(open), (error: unknown) => {
      this.kill("SIGKILL", `its channel could not be opened: ${messageOf(error)}`);
    });
  }

  protected override isBlocked(): boolean {
    return this.#isGreeted && this.heardAt < this.#askedAt;
  }

  protected override get isOpen(): boolean {
    return this.#link !== undefined && !this.#link.closed;
  }

  protected override exited(): void {
    this.#clearCleaning?.();
  }

  protected override disconnect(): void {
    this.#link?.close(null);
  }

  protected override get end() {
    return {
      why: this.why ?? this.#closeReason,
      cleaning: this.#cleaning,
      wasGreeted: this.#isGreeted,
      wasReady: this.#isReady,
      lasting: this.#isLasting,
    };
  }

  #open(channel: Channel): void {
    const { spec: { parent: { runtime }, setup }, caller, events } = this.parts;
    this.#link = new Link(channel, runtime.clock, {
      frameLimit: setup.frameLimit,
      shared: { files: () => runtime.sharedFiles(), makes: true },
      events: {
        frame: (type, flags, body) => this.#frame(type, flags, body),
        refused: (reason, excerpt) => events.dropped(`frame (${reason}: ${excerpt})`, 1),
        drained: () => caller.drained(),
        closed: (reason, failed) => this.#closed(reason, failed),
      },
    });
  }

  #frame(type: number, flags: number, body: Uint8Array): void {
    const { caller, events } = this.parts;
    if (!this.#isGreeted) {
      if (type === FrameType.hello) this.#greet(body);
      else throw new BodyError("a frame came before the hello");
    } else if (type === FrameType.answers) caller.answers(flags, body, this.#link);
    else if (type === FrameType.ping) this.#link?.pong();
    else if (type === FrameType.pong) {
      caller.pong(body, this.#link);
      events.alive();
    } else if (type === FrameType.records) events.records(readRecords(body));
    else if (type === FrameType.notice) this.#message(controlFromChild.read(body));
    else if (type === FrameType.close) this.#closeReason ??= readCloseReason(body);
    else this.#server?.receive(type, flags, body);
  }

  /** Most modules never call their broker. */
  get #server(): CallServer | undefined {
    if (this.#madeServer === undefined && this.#link !== undefined) {
      const { parent: { runtime, reporter, service }, name, setup: { frameLimit } } = this.parts.spec;
      const { ownFiles } = runtime;
      const options = { reporter, service, module: name, peer: name, frameLimit, ownFiles };
      this.#madeServer = new CallServer(this.#link, options);
      this.#madeServer.open();
    }
    return this.#madeServer;
  }

  #greet(body: Uint8Array): void {
    const { spec: { parent, setup }, events } = this.parts;
    const link = this.#link;
    if (link === undefined) return;
    let theirs: Hello;
    let text: string;
    try {
      theirs = readHello(body);
      // The options of a module are the program's own objects.
      const ours = { broker: parent.broker, process: parent.name, codecs: CODECS };
      text = helloText(
        helloOf(parent.runtime, { ...ours, setup: { ...parent.targets(), ...setup, wanted: parent.wanted() } }),
      );
    } catch (error) {
      this.why = messageOf(error);
      link.close(this.why);
      return;
    }
    link.negotiate(theirs.codecs);
    link.send(FrameType.hello, text);
    this.#isGreeted = true;
    events.greeted();
  }

  #message(message: ControlFromChild): void {
    const { events } = this.parts;
    // Messages about its start count until it is ready: later one could blame another module, or hide the cause of an end.
    if (this.#isReady && START_MESSAGES.includes(message.kind)) return;
    if (message.kind === "cleaning") {
      this.#cleans(message.owner);
    } else if (message.kind === "cleaned") {
      events.cleaned();
    } else if (message.kind === "ready") {
      this.#isReady = true;
      this.#cleans(null);
      events.ready(message.cleanup);
    } else if (message.kind === "failed") {
      const { name, message: text } = readThrown(message.error);
      this.why ??= `start of the module failed: ${text || name}`;
      this.#isLasting = message.lasting === true;
    }
    events.message(message);
  }

  /** The cleanup of `owner` begins, or where it is null the last one is over. One that blocks the process ends it. */
  #cleans(owner: string | null): void {
    const { parent: { runtime }, setup: { cleanupMs } } = this.parts.spec;
    this.#clearCleaning?.();
    this.#cleaning = owner;
    if (owner === null) return;
    const limitMs = cleanupMs + CLEANUP_GRACE_MS;
    const why = `cleanup of module "${owner}" blocked the process for ${formatTimeout(limitMs)}`;
    const waitedMs = () => runtime.waitedMs(this.pid ?? 0);
    this.#clearCleaning = deadline(runtime.clock, limitMs, () => this.kill("SIGKILL", why), waitedMs);
  }

  #closed(reason: string | null, failed: boolean): void {
    this.#madeServer?.abort();
    // A write may meet the end of a process before its exit is seen, which says more than the write.
    const fault = failed || this.#isDraining ? null : reason;
    this.closed(fault, () => reason ?? this.#closeReason ?? "process closed its channel and went on");
  }
}

const SIGNALS: readonly (string | null)[] = [...END_SIGNALS, "SIGHUP"];
const CODES: readonly (number | null)[] = [...Object.values(EXIT_CODES), 129];

/** Whether a process ended by a signal that was not sent by brokkr. */
export function isByTermination({ code, signal, why }: Pick<ProcessEnd, "code" | "signal" | "why">): boolean {
  return why === null && (SIGNALS.includes(signal) || CODES.includes(code));
}
