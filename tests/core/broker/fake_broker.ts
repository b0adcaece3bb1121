import { BrokerCore } from "../../../src/core/broker/broker.ts";
import type { BrokerHost } from "../../../src/core/broker/child_spec.ts";
import { type BrokerOptions, checkOptions } from "../../../src/core/broker/options.ts";
import type { LogRecord } from "../../../src/core/log/events.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import type { ModuleSettings } from "../../../src/core/settings/settings.ts";
import { readRole, ROLE_VARIABLE } from "../../../src/core/child/role.ts";
import type { CommandProcess } from "../../../src/runtime/runtime.ts";
import { type FakeProcess, SpawningRuntime } from "../child/fake_process.ts";
import { settle } from "../manual_clock.ts";

const ENDED = { code: 0, signal: null };

/** Spawns fakes, and a guard that does nothing. */
class BrokerRuntime extends SpawningRuntime {
  count = 2;
  /** What the guard was sent, line by line. */
  guarded = "";

  override processors(): number {
    return this.count;
  }

  override spawnCommand(): Promise<CommandProcess> {
    let ended = () => {};
    const exited = new Promise<typeof ENDED>((resolve) => ended = () => resolve(ENDED));
    const ready = new TextEncoder().encode("ready\n");
    const channel = {
      unsentBytes: 0,
      write: (bytes: Uint8Array) => void (this.guarded += new TextDecoder().decode(bytes)),
      open: (events: { data(chunk: Uint8Array): void }) => events.data(ready),
      close: () => ended(),
      abort: () => ended(),
    };
    return Promise.resolve({ pid: 1, exited, channel, kill: () => true, groupRuns: () => false });
  }
}

/** Modules by name, and their settings: a configuration. */
export type Modules = Readonly<Record<string, ModuleSettings>>;

interface FakeBrokerOptions extends Partial<BrokerOptions> {
  /** How many the machine has. */
  readonly processors?: number;
  /** Files that a new process loads by itself, as under a configuration. */
  readonly files?: BrokerHost["load"];
}

/** A broker whose processes do what the test says. */
export class FakeBroker {
  readonly runtime = new BrokerRuntime();
  readonly records: LogRecord[] = [];
  readonly core: BrokerCore;
  readonly #files: BrokerHost["load"];

  constructor(modules: Modules, { processors = 2, files = null, ...options }: FakeBrokerOptions = {}) {
    this.runtime.count = processors;
    this.#files = files;
    const { plan, seat } = prepared(modules, { log: (record) => void this.records.push(record), ...options });
    this.core = new BrokerCore(plan, { runtime: this.runtime, depth: 0, load: files, ...seat });
  }

  /** The configuration has changed. */
  follow(modules: Modules, options: Partial<BrokerOptions> = {}): Promise<void> {
    const { plan, seat } = prepared(modules, options);
    return this.core.follow(plan, { load: this.#files, ...seat });
  }

  /** The newest process of a module. */
  life(module: string): FakeProcess {
    const life = this.lives(module).at(-1);
    if (life === undefined) throw new Error(`no process of ${module} was started`);
    return life;
  }

  /** All processes that a module had. */
  lives(module: string): FakeProcess[] {
    return this.runtime.spawned.filter(({ env }) => readRole(env[ROLE_VARIABLE]).role?.module === module);
  }

  /** Brings the newest process of each module up. */
  async up(...modules: string[]): Promise<void> {
    for (const module of modules) {
      await this.life(module).hello();
      await this.life(module).ready();
    }
  }

  /** Ends the newest process of each module in good order. */
  async down(...modules: string[]): Promise<void> {
    for (const module of modules) await this.life(module).exit(ENDED);
  }

  /** Name and state of each module. */
  async states(): Promise<string[]> {
    await settle();
    const { modules } = await this.core.status();
    return modules.map(({ name, state }) => `${name} ${state}`);
  }

  /** Texts of one event. */
  told(event: LogRecord["event"]): string[] {
    const records = this.records.filter((record) => record.event === event);
    return records.flatMap((record) => record.lines()).map((line) => line.slice(line.indexOf("MainThread ] ") + 13));
  }
}

/** Whether a process was asked to end. */
export function wasAsked(life: FakeProcess): boolean {
  return life.received.some(({ text }) => text === '{"kind":"stop"}');
}

function prepared(modules: Modules, options: Partial<BrokerOptions>) {
  const plan = checkOptions({
    name: "broker-master",
    modules: Object.keys(modules).map((name) => defineModule({ name })),
    settings: modules,
    log: () => {},
    ...options,
  });
  return { plan, seat: { signature: (name: string) => JSON.stringify(modules[name] ?? null) } };
}
