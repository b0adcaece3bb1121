/**
 * The belts against orphans that hold when the broker is killed: a small shell outlives it just long enough to kill its processes, and
 * the one of the next broker kills what even that one missed. See `guard_script.ts`.
 *
 * @module
 */

import type { CommandProcess, Runtime } from "../../runtime/runtime.ts";
import type { EventFields } from "../log/record.ts";
import { messageOf } from "../thrown.ts";
import { within } from "./deadline.ts";
import { GUARD_SCRIPT } from "./guard_script.ts";
import type { Descendants } from "../module/process_settings.ts";

/** A guard that does not get ready in this time must not keep the broker from its start. */
const READY_MS = 2_000;
/** A guard looks through all processes at its end, a few times; this is many times as long as that takes. */
const END_MS = 5_000;
/** From one try to start another guard to the next: the first pause, and the longest. */
const AGAIN_MS = 1_000;
const MAX_AGAIN_MS = 30_000;

export interface GuardOptions {
  readonly runtime: Runtime;
  readonly broker: string;
  /** Whether what a dead broker of the same name left behind is killed, and a file is kept for the next one. */
  readonly sweep: boolean;
  /** There is no guard, and none could be started. */
  readonly unguarded: (lost: EventFields["broker.unguarded"]) => void;
  readonly orphan: (found: EventFields["process.orphan"]) => void;
}

/** One life of a module's process and all that it starts. */
interface Tree {
  readonly name: string;
  readonly descendants: Descendants;
}

export class Guard {
  readonly #options: GuardOptions;
  /** In the environment of each process of this broker, and of no other broker's, ever. */
  readonly #id: string;
  readonly #trees = new Map<string, Tree>();
  readonly #groups = new Map<number, Tree>();
  #lives = 0;
  #shell: CommandProcess | undefined;
  #starting: Promise<void> | undefined;
  #ready: () => void = () => {};
  #text = "";
  #closed = false;
  #clearPause = () => {};
  /** Tries in a row that gave no guard that watches. */
  #failures = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
    const { pid, clock } = options.runtime;
    const parts = [pid, Math.round(clock.wall()), Math.floor(Math.random() * 2 ** 32)];
    this.#id = parts.map((part) => part.toString(36)).join("-");
  }

  /** Settles when the guard watches; from then on everything added dies with this process. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** The mark of a new life of `module`, by which what it starts is found. It holds for the next process that is added. */
  tree(module: string, descendants: Descendants): string {
    const name = `${this.#id}/${module}/${++this.#lives}`;
    this.#trees.set(module, { name, descendants });
    return name;
  }

  add(pid: number, module: string): void {
    const tree = this.#trees.get(module) ?? { name: this.tree(module, "kill"), descendants: "kill" };
    this.#groups.set(pid, tree);
    this.#tell(added(pid, tree));
  }

  /** The process has ended: what it started is killed, where it is to be. */
  remove(pid: number): void {
    if (this.#groups.delete(pid)) this.#tell(`del ${pid}\n`);
  }

  /**
   * Ends the guard; groups that are still in it are killed. The broker's stop waits for it, so that one that does not end is
   * killed itself.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clearPause();
    await this.#starting;
    const shell = this.#shell;
    if (shell === undefined) return;
    shell.channel.close();
    const kill = () => void shell.kill("SIGKILL", { group: true });
    await within(this.#options.runtime.clock, END_MS, shell.exited, "the guard does not end").catch(kill);
  }

  async #start(): Promise<void> {
    const { runtime, broker, sweep } = this.#options;
    const env: Record<string, string> = {};
    for (const name of ["PATH", "TMPDIR", "XDG_RUNTIME_DIR"]) {
      const value = runtime.env.get(name);
      if (value !== undefined) env[name] = value;
    }
    const args = ["brokkr-guard", String(runtime.pid), broker, this.#id, sweep ? "sweep" : "-"];
    const shell = await runtime.spawnCommand(["/bin/sh", "-c", GUARD_SCRIPT, ...args], { env, cwd: "/", group: true });
    this.#shell = shell;
    this.#text = "";
    const ready = new Promise<void>((resolve) => this.#ready = resolve);
    const clear = runtime.clock.timer(READY_MS, this.#ready);
    shell.channel.open({ data: (chunk) => this.#heard(chunk), drained: () => {}, closed: () => this.#ready() });
    for (const [pid, tree] of this.#groups) this.#tell(added(pid, tree));
    void shell.exited.then(() => this.#again(shell));
    await ready;
    clear();
  }

  #heard(chunk: Uint8Array): void {
    const lines = (this.#text + new TextDecoder().decode(chunk)).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const [verb, process = "", pid, ms] = line.split(" ");
      if (verb === "ready") {
        this.#failures = 0;
        this.#ready();
      } else if (verb === "orphan") this.#options.orphan({ process, childPid: Number(pid), ms: Number(ms) });
    }
  }

  /** Someone killed the guard: there must be another one. */
  #again(shell: CommandProcess): void {
    if (this.#closed || this.#shell !== shell) return;
    this.#shell = undefined;
    // One that never watched is followed by one that does not either, mostly.
    this.#starting = this.#failures++ === 0 ? this.#startAgain() : this.#startLater("it ends as soon as it is started");
  }

  /** Never rejects: the broker goes on without a guard. */
  async #startAgain(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#failures++;
      await this.#startLater(messageOf(error));
    }
  }

  async #startLater(reason: string): Promise<void> {
    if (this.#closed) return;
    const delayMs = Math.min(AGAIN_MS * 2 ** (this.#failures - 2), MAX_AGAIN_MS);
    this.#options.unguarded({ reason, delayMs });
    await new Promise<void>((resolve) => {
      const clear = this.#options.runtime.clock.timer(delayMs, resolve);
      this.#clearPause = () => {
        clear();
        resolve();
      };
    });
    if (!this.#closed) await this.#startAgain();
  }

  #tell(line: string): void {
    this.#shell?.channel.write(new TextEncoder().encode(line));
  }
}

function added(pid: number, { name, descendants }: Tree): string {
  return `add ${pid} ${descendants === "kill" ? "group" : "process"} ${name}\n`;
}
