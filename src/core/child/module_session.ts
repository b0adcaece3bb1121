/**
 * One run of a module's or worker's process, from its parent's side; `serve.ts` is the other side.
 *
 * @module
 */

import type { Channel, OutputSink, ProgramProcess } from "../../runtime/runtime.ts";
import { CallServer } from "../call/server.ts";
import { messageOf } from "../user_code.ts";
import { BodyError, FrameType } from "../wire/frame.ts";
import { CODECS } from "../wire/codec.ts";
import {
  type ControlFromChild,
  controlFromChild,
  type ControlFromParent,
  controlFromParent,
  type EndSignal,
  type Hello,
  helloOf,
  helloText,
  readCloseReason,
  readHello,
  readRecords,
} from "../wire/messages.ts";
import { Link } from "../wire/link.ts";
import type { SessionParts } from "./child_spec.ts";
import { ProcessSession } from "./session.ts";
import { CleaningWatch } from "./watchdogs.ts";

const LAST_BYTES_MS = 50;

const START_MESSAGES: readonly ControlFromChild["kind"][] = ["cleaning", "ready", "failed"];

export class ModuleSession extends ProcessSession<ProgramProcess> {
  #link: Link | undefined;
  #server: CallServer | undefined;
  readonly #cleaning: CleaningWatch;
  /** Why the process ended its channel, by its own account: second to what brokkr knows itself. */
  #closeReason: string | null = null;
  #isLasting = false;
  #isReady = false;
  #isDraining = false;
  /** When it was asked to end, together with a ping. */
  #askedAt = 0;

  constructor(parts: SessionParts) {
    const { guard, runtime } = parts.spec.parent;
    super(parts, { group: guard !== null, lastBytesMs: LAST_BYTES_MS });
    this.#cleaning = new CleaningWatch(runtime.clock, (why) => this.kill("SIGKILL", why));
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
    const { parent, program, cwd, sandbox, collects, env } = this.parts.spec;
    return await parent.runtime.spawnProgram({ program, cwd: cwd(), sandbox, collects, env, group, output });
  }

  protected override connect({ channel }: ProgramProcess): void {
    channel.then((open) => this.#open(open), (error: unknown) => {
      this.kill("SIGKILL", `its channel could not be opened: ${messageOf(error)}`);
    });
  }

  protected override isBlocked(): boolean {
    return this.#server !== undefined && this.heardAt < this.#askedAt;
  }

  protected override get isOpen(): boolean {
    return this.#link !== undefined && !this.#link.closed;
  }

  protected override exited(): void {
    this.#cleaning.over();
  }

  protected override disconnect(): void {
    this.#link?.close(null);
  }

  protected override get end() {
    return {
      why: this.why ?? this.#closeReason,
      cleaning: this.#cleaning.owner,
      wasGreeted: this.#server !== undefined,
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
    if (this.#server === undefined) {
      if (type === FrameType.hello) this.#greet(body);
      else throw new BodyError("a frame came before the hello");
    } else if (type === FrameType.answers) caller.answers(flags, body, this.#link);
    else if (type === FrameType.ping) this.#link?.pong();
    else if (type === FrameType.pong) events.alive();
    else if (type === FrameType.records) events.records(readRecords(body));
    else if (type === FrameType.notice) this.#message(controlFromChild.read(body));
    else if (type === FrameType.close) this.#closeReason ??= readCloseReason(body);
    else this.#server.receive(type, flags, body);
  }

  #greet(body: Uint8Array): void {
    const { spec: { parent, name, setup }, events } = this.parts;
    const { runtime, reporter, service } = parent;
    const link = this.#link;
    if (link === undefined) return;
    let theirs: Hello;
    let text: string;
    try {
      theirs = readHello(body);
      // The options of a module are the program's own objects.
      const ours = { broker: parent.broker, process: parent.name, codecs: CODECS };
      text = helloText(helloOf(runtime, { ...ours, setup: { wanted: parent.wanted(), ...setup } }));
    } catch (error) {
      this.why = messageOf(error);
      link.close(this.why);
      return;
    }
    link.negotiate(theirs.codecs);
    link.send(FrameType.hello, text);
    const { frameLimit } = setup;
    const { ownFiles } = runtime;
    this.#server = new CallServer(link, { reporter, service, module: name, peer: name, frameLimit, ownFiles });
    this.#server.open();
    events.greeted();
  }

  #message(message: ControlFromChild): void {
    const { spec, events } = this.parts;
    // Messages about its start count until it is ready: later one could blame another module, or hide the cause of an end.
    if (this.#isReady && START_MESSAGES.includes(message.kind)) return;
    if (message.kind === "cleaning") {
      this.#cleaning.at(message.owner, spec.setup.cleanupMs);
    } else if (message.kind === "cleaned") {
      events.cleaned();
    } else if (message.kind === "ready") {
      this.#isReady = true;
      this.#cleaning.at(null, 0);
      events.ready(message.cleanup);
    } else if (message.kind === "failed") {
      this.why ??= `start of the module failed: ${message.error.message || message.error.name}`;
      this.#isLasting = message.lasting === true;
    }
    events.message(message);
  }

  #closed(reason: string | null, failed: boolean): void {
    this.#server?.abort();
    // A write may meet the end of a process before its exit is seen, which says more than the write.
    const fault = failed || this.#isDraining ? null : reason;
    this.closed(fault, () => reason ?? this.#closeReason ?? "process closed its channel and went on");
  }
}
