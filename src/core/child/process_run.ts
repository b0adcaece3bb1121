/** One life of a process, from its father's side: spawned, greeted, serving, ended. @module */

import type { Channel, ExitStatus, ProgramProcess } from "../../runtime/runtime.ts";
import type { CallServer } from "../call/server.ts";
import { CODECS } from "../wire/codec.ts";
import { BodyError, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import {
  type ControlFromChild,
  controlFromChild,
  type ControlFromParent,
  controlFromParent,
  type EndSignal,
  type Hello,
  helloText,
  PROTOCOL_VERSION,
  readCloseReason,
  readHello,
  readRecords,
} from "../wire/messages.ts";
import { VERSION } from "../version.ts";
import { CleaningWatch } from "./watchdogs.ts";
import { GracefulShutdown } from "./shutdown.ts";
import { ProcessOutput } from "./output.ts";
import type { ProcessRunOptions } from "./process_run_options.ts";
import type { Run } from "./run.ts";
import { messageOf } from "../thrown.ts";

/** A process whose channel has ended can't serve: the time it has to end by itself. */
const WITHOUT_CHANNEL_MS = 1_000;
/** After the exit, the time for the last bytes of channel and output to arrive. */
const LAST_BYTES_MS = 50;

const START_NOTICES: readonly ControlFromChild["kind"][] = ["cleaning", "ready", "failed"];

export class ProcessRun implements Run {
  readonly #options: ProcessRunOptions;
  readonly #output: ProcessOutput;
  #process: ProgramProcess | undefined;
  #link: Link | undefined;
  #callee: CallServer | undefined;
  readonly #ending: GracefulShutdown;
  readonly #cleaning: CleaningWatch;
  #linkClosed: (() => void) | undefined;
  #why: string | null = null;
  /** Why the process ended its channel, in its own words: less than what brokkr knows itself. */
  #said: string | null = null;
  #lasting = false;
  /** What a process gets that is not created yet. */
  #signalAtOnce: string | undefined;
  #ready = false;
  #hasExited = false;
  #isAsked = false;
  /** When it was asked to end, and for a sign of life with that. */
  #askedAt = 0;
  #clearWait: (() => void) | undefined;

  constructor(options: ProcessRunOptions) {
    this.#options = options;
    this.#ending = new GracefulShutdown(options.runtime.clock, options.deadlines, {
      kill: (signal, why) => this.kill(signal, why),
      isBlocked: () => this.#callee !== undefined && this.heardAt < this.#askedAt,
    });
    this.#cleaning = new CleaningWatch(options.runtime.clock, (why) => this.kill("SIGKILL", why));
    const { runtime, events } = options;
    this.#output = new ProcessOutput(runtime.clock, { limits: options.setup().output, events });
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  get heardAt(): number {
    return this.#link?.receivedAt ?? 0;
  }

  /** @throws when no process could be created. */
  async spawn(): Promise<number> {
    const { runtime, program, cwd, sandbox, collects, env, group } = this.#options;
    const process = await runtime.spawnProgram({
      program,
      cwd: cwd?.(),
      sandbox,
      collects,
      env,
      group,
      output: (stream, chunk) => this.#output.push(stream, chunk),
    });
    this.#process = process;
    this.#output.begin();
    if (this.#signalAtOnce !== undefined) process.kill(this.#signalAtOnce, { group });
    process.channel.then((channel) => this.#open(channel), (error: unknown) => {
      this.kill(
        "SIGKILL",
        `its channel could not be opened: ${messageOf(error)}`,
      );
    });
    void process.exited.then((status) => this.#exited(status));
    return process.pid;
  }

  /** Ends the process and everything it started; `why` explains it where brokkr does it on its own account. */
  kill(signal: string, why: string | null = null): void {
    this.#why ??= why;
    if (this.#process === undefined) this.#signalAtOnce = signal;
    else this.#process.kill(signal, { group: this.#killsGroup });
    if (why !== null && !this.#hasExited) this.#options.events.killed(signal, why);
  }

  get #killsGroup(): boolean {
    return this.#options.group && this.#options.descendants === "kill";
  }

  /** Asks the process to finish its calls and to end, by `signal` where there is one, and makes it when it does not. */
  drain(signal?: EndSignal): void {
    this.#isAsked = true;
    // Calls that are still on their way out go first.
    this.#link?.flush();
    this.notify({ kind: "stop", ...(signal === undefined ? {} : { signal }) });
    this.ask();
    this.#askedAt = this.#options.runtime.clock.now();
    this.#ending.begin();
  }

  /** Asks for a sign of life. */
  ask(): void {
    this.#link?.send(FrameType.ping, "1");
  }

  notify(notice: ControlFromParent): void {
    this.#link?.send(FrameType.notice, controlFromParent.text(notice));
  }

  #open(channel: Channel): void {
    const { runtime, frameLimit, events } = this.#options;
    const link = new Link(channel, runtime.clock, {
      frameLimit,
      shared: { files: () => runtime.sharedFiles(), makes: true },
      events: {
        frame: (type, flags, body) => this.#frame(type, flags, body),
        refused: (reason, excerpt) => events.dropped(`frame (${reason}: ${excerpt})`, 1),
        drained: () => this.#options.caller.drained(),
        closed: (reason, failed) => this.#closed(reason, failed),
      },
    });
    this.#link = link;
  }

  #frame(type: number, flags: number, body: Uint8Array): void {
    if (this.#callee === undefined) {
      if (type === FrameType.hello) this.#greet(body);
      else throw new BodyError("a frame came before the hello");
    } else if (type === FrameType.answers) this.#options.caller.answers(flags, body, this.#link);
    else if (type === FrameType.ping) this.#link?.pong();
    else if (type === FrameType.pong) this.#options.events.alive();
    else if (type === FrameType.records) this.#options.events.records(readRecords(body));
    else if (type === FrameType.notice) this.#notice(controlFromChild.read(body));
    else if (type === FrameType.close) this.#said ??= readCloseReason(body);
    else this.#callee.receive(type, flags, body);
  }

  #greet(body: Uint8Array): void {
    const { events, runtime, setup, hello } = this.#options;
    const link = this.#link;
    if (link === undefined) return;
    const answer = {
      ...hello,
      protocol: PROTOCOL_VERSION,
      version: VERSION,
      pid: runtime.pid,
      runtime: `${runtime.name} ${runtime.version}`,
      codecs: CODECS,
    };
    let theirs: Hello;
    let text: string;
    try {
      theirs = readHello(body, VERSION);
      // The options of a module are the program's own objects.
      text = helloText({ ...answer, setup: setup() });
    } catch (error) {
      this.#why = messageOf(error);
      link.close(this.#why);
      return;
    }
    link.negotiate(theirs.codecs);
    link.send(FrameType.hello, text);
    this.#callee = this.#options.callee(link);
    this.#callee.open();
    events.greeted(theirs);
  }

  #notice(notice: ControlFromChild): void {
    // What is told of its start holds until it is ready: later it could blame another module, or hide the cause of an end.
    if (this.#ready && START_NOTICES.includes(notice.kind)) return;
    if (notice.kind === "cleaning") {
      this.#cleaning.at(notice.owner, this.#options.setup().cleanupMs);
    } else if (notice.kind === "cleaned") {
      this.#options.events.cleaned();
    } else if (notice.kind === "ready") {
      this.#ready = true;
      this.#cleaning.at(null, 0);
      this.#options.events.ready(notice.commands, notice.cleanup);
    } else if (notice.kind === "failed") {
      this.#why ??= `start of the module failed: ${notice.error.message || notice.error.name}`;
      this.#lasting = notice.lasting === true;
    }
    this.#options.events.notice(notice);
  }

  /** The link ended: a process without one can't serve, so it goes too. */
  #closed(reason: string | null, failed: boolean): void {
    this.#callee?.abort();
    this.#linkClosed?.();
    // A write may meet the end of a process before its exit is seen, which tells more than the write.
    if (reason !== null && !failed && !this.#isAsked) return this.kill("SIGKILL", reason);
    if (this.#hasExited) return;
    const { clock } = this.#options.runtime;
    this.#clearWait = clock.timer(
      WITHOUT_CHANNEL_MS,
      () => this.kill("SIGKILL", reason ?? this.#said ?? "process closed its channel and went on"),
    );
  }

  async #exited(status: ExitStatus): Promise<void> {
    this.#hasExited = true;
    this.#clearWait?.();
    this.#ending.over();
    this.#cleaning.over();
    if (this.#link !== undefined && !this.#link.closed) await this.#lastBytes();
    // What the process started and left behind goes with it.
    if (this.#killsGroup) this.#process?.kill("SIGKILL", { group: true });
    this.#link?.close(null);
    this.#output.end();
    const { lastLines } = this.#output;
    const cleaning = this.#cleaning.owner;
    const [why, wasReady, lasting] = [this.#why ?? this.#said, this.#ready, this.#lasting];
    const wasGreeted = this.#callee !== undefined;
    this.#options.events.ended({ ...status, why, cleaning, wasGreeted, wasReady, lastLines, lasting });
  }

  async #lastBytes(): Promise<void> {
    await new Promise<void>((resolve) => {
      const clear = this.#options.runtime.clock.timer(LAST_BYTES_MS, resolve);
      this.#linkClosed = () => {
        clear();
        resolve();
      };
    });
  }
}
