import type { ExitStatus, ProgramProcess, SpawnProgramOptions } from "../../../src/runtime/runtime.ts";
import { FrameType, PROTOCOL_VERSION } from "../../../src/core/wire/frame.ts";
import { Link } from "../../../src/core/wire/link.ts";
import type { ProcessStatus } from "../../../src/core/wire/status.ts";
import type { LogEvent } from "../../../src/core/log/events.ts";
import { supervisionPlan, type SupervisionSettings } from "../../../src/core/settings/settings.ts";
import { StartPlaces } from "../../../src/core/child/starts.ts";
import type { ChildSpec } from "../../../src/core/child/child_spec.ts";
import { Supervisor } from "../../../src/core/child/supervisor.ts";
import { VERSION } from "../../../src/core/version.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { TestReporter } from "../log_of.ts";
import { settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

const LIMIT = 16 * 1024 * 1024;

/** A process that does what the test says. */
export class FakeProcess {
  readonly parentsEnd: MemoryChannel;
  readonly link: Link;
  readonly signals: string[] = [];
  /** Types of the frames that the parent sent, and the bodies. */
  readonly received: { type: number; text: string }[] = [];
  readonly process: ProgramProcess;
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it answers nothing, as when it is stopped. */
  isStopped = false;
  #exit: (status: ExitStatus) => void = () => {};

  constructor(runtime: FakeRuntime, pid: number, options: SpawnProgramOptions) {
    const [parentsEnd, ownEnd] = MemoryChannel.pair();
    this.parentsEnd = parentsEnd;
    this.link = new Link(ownEnd, runtime.clock, {
      frameLimit: LIMIT,
      events: {
        frame: (type, _flags, body) => {
          this.received.push({ type, text: new TextDecoder().decode(body) });
          if (type === FrameType.ping && !this.isStopped) this.link.send(FrameType.pong, "1");
        },
        refused: () => {},
        drained: () => {},
        closed: () => {},
      },
    });
    this.process = {
      pid,
      channel: Promise.resolve(parentsEnd),
      exited: new Promise((resolve) => this.#exit = resolve),
      kill: (signal) => this.signals.push(signal) > 0,
      groupRuns: () => false,
    };
    this.env = options.env("");
    this.print = (text) => options.output?.("stderr", new TextEncoder().encode(text));
  }

  readonly print: (text: string) => void;

  async hello(protocol = PROTOCOL_VERSION): Promise<void> {
    const hello = { protocol, version: VERSION, broker: "b", process: "sla", pid: 1, runtime: "fake", setup: null };
    await this.send(FrameType.hello, hello);
  }

  async cleaned(): Promise<void> {
    await this.send(FrameType.notice, { kind: "cleaned" });
  }

  async ready(): Promise<void> {
    const figures = { pssBytes: null, privateBytes: null, heapBytes: null, openFiles: null };
    const cleanup = { ms: 1, released: [], errors: 0, modules: [], leftovers: null, before: figures, after: figures };
    await this.send(FrameType.notice, { kind: "ready", commands: [], cleanup });
  }

  async send(type: number, body: unknown): Promise<void> {
    this.link.send(type, JSON.stringify(body));
    await settle();
  }

  async exit(status: ExitStatus): Promise<void> {
    this.link.close(null);
    await this.exitSeen(status);
  }

  /** Its exit is seen before its last bytes. */
  async exitSeen(status: ExitStatus): Promise<void> {
    this.#exit(status);
    await settle();
  }
}

/** Spawns fakes, and remembers them. */
export class SpawningRuntime extends FakeRuntime {
  readonly spawned: FakeProcess[] = [];
  /** What a process prints before its parent knows that it runs. */
  firstWords = "";
  /** What every start is rejected with, where there is something. */
  refuse: Error | undefined;
  #held: Promise<void> | undefined;

  /** From now on a start takes until the returned function is called. */
  holdSpawn(): () => void {
    let release = () => {};
    this.#held = new Promise((resolve) => release = resolve);
    return release;
  }

  override async spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
    await this.#held;
    if (this.refuse !== undefined) throw this.refuse;
    const fake = new FakeProcess(this, 100 + this.spawned.length, options);
    if (this.firstWords !== "") fake.print(this.firstWords);
    this.spawned.push(fake);
    return fake.process;
  }
}

/** A supervised process of module sla, whose lives are fakes. */
export class Supervision {
  readonly runtime: SpawningRuntime;
  readonly reporter = new TestReporter();
  /** What the process reported. */
  readonly events: LogEvent[] = [];
  /** What it told of its workers. */
  readonly workers: ProcessStatus[] = [];

  readonly supervisor: Supervisor;
  readonly spec: ChildSpec;

  constructor(
    settings: SupervisionSettings = {},
    { starts = new StartPlaces(2), runtime = new SpawningRuntime() } = {},
  ) {
    this.runtime = runtime;
    const { reporter } = this;
    this.spec = {
      parent: {
        runtime,
        reporter,
        broker: "broker-master",
        name: "broker-master",
        guard: null,
        starts,
        service: { commands: new Map() },
        wanted: () => [],
        targets: () => ({ timeoutMs: 1_000, retry: "once", names: ["broker-master", "sla"] }),
        records: (events) => void this.events.push(...events),
      },
      name: "sla",
      module: "sla",
      workers: 1,
      isWorker: (name) => name === "sla-1",
      program: undefined,
      cwd: () => "/",
      env: () => ({}),
      collects: true,
      descendants: "kill",
      setup: {
        frameLimit: LIMIT,
        cleanupMs: 5_000,
        options: null,
        supervision: supervisionPlan(settings),
        concurrency: null,
        queue: null,
        output: { maxLinesPerSecond: 500, maxLineBytes: 8_192 },
      },
      goal: 'Broker.start({ name: "broker-master" })',
      runsProgram: false,
    };
    this.supervisor = new Supervisor(this.spec, {
      workers: (workers) => void this.workers.push(...workers),
    });
  }

  /** The life that runs now. */
  get life(): FakeProcess {
    const life = this.runtime.spawned.at(-1);
    if (life === undefined) throw new Error("nothing was spawned");
    return life;
  }

  /** Starts it and brings it up. */
  async up(): Promise<FakeProcess> {
    void this.supervisor.start();
    await settle();
    await this.life.hello();
    await this.life.ready();
    return this.life;
  }

  advance(ms: number): Promise<void> {
    return this.runtime.clock.advance(ms);
  }

  /** Lines of the supervision so far, without their prefix. */
  lines(): string[] {
    return this.reporter.lines().map((line) => line.slice(line.indexOf("MainThread ] ") + 13));
  }
}
