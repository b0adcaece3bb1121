/**
 * What one run of a child process has in common, whatever it speaks: it is spawned, killed with all that it started, read to its last
 * byte, and ended.
 *
 * @module
 */

import type { ExitStatus, OutputSink, SpawnedProcess } from "../../runtime/runtime.ts";
import type { Link } from "../wire/link.ts";
import type { ControlFromParent, EndSignal } from "../wire/messages.ts";
import type { ChildSession, ProcessEnd, SessionParts } from "./child_spec.ts";
import { ProcessOutput } from "./output.ts";
import { GracefulShutdown } from "./shutdown.ts";

/** A process whose channel has ended can't serve: the time it has to end by itself. */
const WITHOUT_CHANNEL_MS = 1_000;

export interface SessionTraits {
  /** Whether the process is in a process group of its own. */
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
  readonly #shutdown: GracefulShutdown;
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
    this.#shutdown = new GracefulShutdown(runtime.clock, setup.supervision, {
      kill: (signal, why) => this.kill(signal, why),
      isBlocked: () => this.isBlocked(),
    });
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

  /** The process was asked to end. */
  protected beginShutdown(): void {
    this.#shutdown.begin();
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
    this.#clearWait = clock.timer(WITHOUT_CHANNEL_MS, () => this.kill("SIGKILL", why()));
  }

  get #killsGroup(): boolean {
    return this.#traits.group && this.parts.spec.descendants === "kill";
  }

  async #exited(status: ExitStatus): Promise<void> {
    this.#hasExited = true;
    this.#clearWait?.();
    this.#shutdown.over();
    this.exited();
    if (this.isOpen) await this.#lastBytes();
    // Processes that it started and left behind end with it.
    if (this.#killsGroup) this.#process?.kill("SIGKILL", { group: true });
    await this.disconnect();
    this.#output.end();
    this.parts.events.ended({ ...status, ...this.end, lastLines: this.#output.lastLines });
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
