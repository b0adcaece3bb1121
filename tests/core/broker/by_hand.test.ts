// A module is stopped, started and reloaded by hand while its settings change: what was wanted last holds in the end.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeProcess } from "../child/fake_process.ts";
import { randomOf } from "../cluster/random.ts";
import { settle } from "../manual_clock.ts";
import { FakeBroker, wasAsked } from "./fake_broker.ts";

const RESTART = { maxRestarts: 1_000_000, delayMs: 0, maxDelayMs: 0, jitter: 0 };
const STEPS = 14;
/** The last two showed a fault among 30,000. */
const SEEDS = [...Array.from({ length: 250 }, (_, seed) => seed), 1_651, 5_740];

/** A broker of module m, whose processes come up and end when they are asked to, each in its own time. */
class Operated {
  readonly broker: FakeBroker;
  readonly #states = new Map<FakeProcess, "greeted" | "ready" | "gone">();
  readonly #random: () => number;
  readonly #asked: Promise<unknown>[] = [];
  /** What was done, for the message of a test that fails. */
  readonly done: string[] = [];
  /** What the settings say, and whether the module was stopped by hand: as wanted last. */
  #options = 0;
  #isOff = false;

  constructor(seed: number) {
    this.#random = randomOf(seed);
    this.broker = new FakeBroker(this.#modules);
  }

  get #modules() {
    return { m: { options: this.#options, restart: RESTART } };
  }

  async begin(): Promise<void> {
    await this.#ends(this.broker.core.start());
  }

  /** Something that a person does, or something that a process does. */
  async step(): Promise<void> {
    const { core } = this.broker;
    const steps: (readonly [share: number, what: string, act: () => Promise<unknown>])[] = [
      [3, "change", () => this.#follow(this.#options + 1)],
      [1, "change back", () => this.#follow(Math.max(0, this.#options - 1))],
      [2, "reload m", () => this.#start(core.reload("m"))],
      [1, "reload", () => core.reload()],
      [2, "restart m", () => this.#start(core.restart("m"))],
      [2, "stop m", () => this.#stop()],
      [1, "crash", () => this.#crash()],
      [5, "proceed", () => this.#proceed(this.#pick(this.#live), true)],
    ];
    let place = this.#random() * steps.reduce((sum, [share]) => sum + share, 0);
    const [, what, act] = steps.find(([share]) => (place -= share) < 0) ?? assert.fail();
    this.done.push(what);
    this.#asked.push(act());
    if (this.#random() < 0.6) await settle();
  }

  /** When all of it is done: the newest settings are in the only process, or there is none where it was stopped. */
  async check(): Promise<void> {
    await this.#ends(Promise.all(this.#asked));
    // What did not come up beside the old process is tried again.
    await this.#ends(this.#follow(this.#options));
    assert.deepEqual(await this.broker.states(), [this.#isOff ? "m stopped" : "m ready"]);
    assert.deepEqual(this.#live.map(optionsOf), this.#isOff ? [] : [this.#options]);
    await this.#ends(this.#start(this.broker.core.restart("m")));
    assert.deepEqual(this.#live.map(optionsOf), [this.#options]);
    await this.#ends(this.broker.core.stop());
    assert.deepEqual(this.#live, []);
  }

  #follow(options: number): Promise<void> {
    this.#options = options;
    return this.broker.follow(this.#modules);
  }

  #start<T>(started: Promise<T>): Promise<T> {
    this.#isOff = false;
    return started;
  }

  #stop(): Promise<void> {
    this.#isOff = true;
    return this.broker.core.stopModule("m");
  }

  get #live(): FakeProcess[] {
    return this.broker.runtime.spawned.filter((life) => this.#states.get(life) !== "gone");
  }

  #pick(lives: readonly FakeProcess[]): FakeProcess | undefined {
    return lives[Math.floor(this.#random() * lives.length)];
  }

  async #crash(): Promise<void> {
    const life = this.#pick(this.#live.filter((life) => this.#states.get(life) === "ready"));
    if (life !== undefined) await this.#end(life, 1);
  }

  async #end(life: FakeProcess, code: number): Promise<void> {
    this.#states.set(life, "gone");
    await life.exit({ code, signal: null });
  }

  /** Whether the process did something. */
  async #proceed(life: FakeProcess | undefined, mayFail: boolean): Promise<boolean> {
    if (life === undefined) return false;
    const state = this.#states.get(life);
    if (wasAsked(life) || life.signals.includes("SIGKILL")) await this.#end(life, 0);
    else if (state === undefined) {
      this.#states.set(life, "greeted");
      await life.hello();
    } else if (state !== "greeted") return false;
    else if (mayFail && this.#random() < 0.1) await this.#end(life, 3);
    else {
      this.#states.set(life, "ready");
      await life.ready();
    }
    return true;
  }

  /** Lets the processes do what they are asked for until `work` is done. */
  async #ends<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => isOver = true);
    over.catch(() => {});
    for (let turn = 0; turn < 200; turn++) {
      let hasMoved = false;
      for (const life of this.#live) hasMoved = await this.#proceed(life, false) || hasMoved;
      await this.broker.runtime.clock.advance(0);
      await settle();
      if (isOver && !hasMoved) return await over;
    }
    throw new Error("it does not end");
  }
}

/** The settings that a process has got. */
function optionsOf({ received }: FakeProcess): number {
  return Number(/"options":(\d+)/.exec(received.map(({ text }) => text).join("\n"))?.[1]);
}

test("what is done by hand last, and the newest settings, hold in the end, whatever was under way", async () => {
  for (const seed of SEEDS) {
    const operated = new Operated(seed);
    await operated.begin();
    for (let step = 0; step < STEPS; step++) await operated.step();
    try {
      await operated.check();
    } catch (error) {
      throw new Error(`seed ${seed}: ${operated.done.join(", ")}`, { cause: error });
    }
  }
});
