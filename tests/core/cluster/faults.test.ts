// Random faults against random calls of one broker to a module that two others have. Whatever happens: no wrong answer, no command that
// runs twice, every call settled once, what was never sent never runs, and nothing grows.
import assert from "node:assert/strict";
import fc from "fast-check";
import { CallTimeoutError } from "../../../src/core/faults.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { property } from "../property.ts";
import { MemoryCluster, type MemoryNode } from "./memory_cluster.ts";
import { randomOf } from "./random.ts";

const STEPS = [
  "call",
  "call",
  "call",
  "burst",
  "cut front",
  "cut web",
  "kill server",
  "stop web",
  "die",
  "leave",
  "noise",
  "pass",
] as const;
type Step = typeof STEPS[number];

const scripts = fc.record({
  seed: fc.integer(),
  steps: fc.array(fc.constantFrom(...STEPS), { minLength: 5, maxLength: 40 }),
});

interface Made {
  readonly key: number;
  settled: number;
  outcome: unknown;
}

class Trial {
  readonly cluster = new MemoryCluster();
  readonly calls: Made[] = [];
  /** Nodes that ran each key. */
  readonly runs = new Map<unknown, string[]>();
  readonly #random: () => number;
  #front: MemoryNode | undefined;
  #webs: MemoryNode[] = [];
  #started = 0;

  constructor(seed: number) {
    this.#random = this.cluster.server.random = randomOf(seed);
  }

  async up(): Promise<void> {
    for (const node of ["web-1", "web-2"]) this.#webs.push(await this.#web(node));
    this.#front = await this.cluster.up("front", { imports: ["sla"] });
  }

  async #web(node: string): Promise<MemoryNode> {
    const life = `${node} (${++this.#started})`;
    const { clock } = this.cluster;
    const sla = defineModule({
      name: "sla",
      commands: {
        run: async (key: unknown, ms: number) => {
          this.runs.set(key, [...this.runs.get(key) ?? [], life]);
          if (ms > 0) await new Promise<void>((resolve) => void clock.timer(ms, resolve));
          return { key };
        },
      },
    });
    return await this.cluster.up(node, { modules: [sla], exports: { sla: true } });
  }

  #call(): void {
    const key = this.calls.length;
    const made: Made = { key, settled: 0, outcome: "open" };
    this.calls.push(made);
    const ms = this.#random() < 0.7 ? 0 : Math.floor(this.#random() * 1_500);
    const end = (outcome: unknown) => {
      made.settled++;
      made.outcome = outcome;
    };
    const target = this.#random() < 0.2 ? "sla@web-2" : "sla";
    const timeoutMs = 200 + Math.floor(this.#random() * 2_000);
    this.#front?.tree.core.call(target, "run", [key, ms], { timeoutMs }).then(end, end);
  }

  async step(step: Step): Promise<void> {
    const { cluster } = this;
    const at = Math.floor(this.#random() * this.#webs.length);
    const web = this.#webs[at];
    const ms = Math.floor(this.#random() * 2_800);
    if (step === "call") this.#call();
    else if (step === "burst") { for (let count = 0; count < 30; count++) this.#call(); }
    else if (step === "pass") await cluster.pass(ms);
    else if (step === "cut front") {
      this.#front?.client.cut();
      this.#call();
      await cluster.pass(ms);
      this.#front?.client.back();
    } else if (step === "cut web") {
      web?.client.cut();
      await cluster.pass(ms);
      web?.client.back();
    } else if (step === "kill server") {
      cluster.server.kill();
      this.#call();
      await cluster.pass(ms);
      cluster.server.restart();
    } else if (step === "stop web") {
      web?.client.stop();
      await cluster.pass(ms);
      web?.client.continue();
    } else if (step === "noise") {
      cluster.server.faults = { drop: 0.2, duplicate: 0.2, reorder: 0.2, delayMs: 5 };
      this.#call();
      await cluster.pass(ms);
      cluster.server.faults = {};
    } else {
      // The process that is killed runs on here, and nobody hears it.
      if (step === "die") web?.client.die();
      else void web?.tree.core.stop();
      await cluster.pass(step === "die" ? ms : 300);
      this.#webs[at] = await this.#web(at === 0 ? "web-1" : "web-2");
    }
    await cluster.pass(20);
  }

  async over(): Promise<void> {
    await this.cluster.pass(8_000);
    const core = this.#front?.tree.core;
    assert.deepEqual(this.calls.filter(({ settled }) => settled !== 1), [], "calls that were not settled once");
    for (const { key, outcome } of this.calls) {
      const runs = this.runs.get(key) ?? [];
      assert.ok(runs.length <= 1, `call ${key} ran ${runs.length} times: ${runs.join(", ")}`);
      if (outcome instanceof CallTimeoutError) {
        if (!outcome.sent) assert.deepEqual(runs, [], `call ${key} was never sent, and ran`);
      } else if (!(outcome instanceof Error)) {
        assert.deepEqual(outcome, { key }, "a wrong answer");
        assert.equal(runs.length, 1);
      }
    }
    const { cluster } = await this.cluster.ends(core?.status() ?? Promise.reject(new Error("no front")));
    for (const { pending } of cluster?.imports ?? []) assert.equal(pending, 0);
    // After all of it calls are answered as before.
    const last = this.calls.length;
    assert.deepEqual(await this.cluster.ends(core?.call("sla", "run", [last, 0]) ?? Promise.resolve()), { key: last });
    await this.cluster.down();
    await this.cluster.clock.advance(60_000);
    assert.equal(this.cluster.clock.timers, 0, "timers that are left");
  }
}

property(
  "A cluster with any faults gives no wrong answer, runs no command twice and settles each call once",
  scripts,
  async ({ seed, steps }) => {
    const trial = new Trial(seed);
    await trial.up();
    for (const step of steps) await trial.step(step);
    await trial.over();
  },
  { runs: 4 },
);
