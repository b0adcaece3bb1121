// Brokers whose processes are all in this one: what they run is theirs, their channels are memory, and one clock is everybody's.
import { BrokerCore } from "../../../src/core/broker/broker.ts";
import { type BrokerOptions, checkOptions } from "../../../src/core/broker/options.ts";
import { controlCommands } from "../../../src/core/control/commands.ts";
import { ControlClient } from "../../../src/core/control/client.ts";
import { ControlServer } from "../../../src/core/control/server.ts";
import type { LogRecord } from "../../../src/core/log/events.ts";
import type { AnyModule } from "../../../src/core/module/program.ts";
import type { CheckedModule } from "../../../src/core/module/definition.ts";
import { frameMessage, newReader } from "../../../src/core/program/framing.ts";
import { readRole, ROLE_VARIABLE } from "../../../src/core/child/role.ts";
import { serveProcess } from "../../../src/core/child/serve.ts";
import type {
  Channel,
  CommandProcess,
  Endpoint,
  ExitStatus,
  Listener,
  PrivateFiles,
  ProgramProcess,
  SpawnCommandOptions,
  SpawnedProcess,
  SpawnProgramOptions,
} from "../../../src/runtime/runtime.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { ManualClock } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

export interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params?: unknown;
}

/** What a program answers a request with: an object with `result` or `error`, or nothing. */
export type Answers = (request: Request) => object | undefined;

/** A program that nobody talks to, as the test has it. */
export interface MemoryDaemon {
  readonly command: readonly string[];
  readonly options: SpawnCommandOptions;
  readonly signals: string[];
  /** Whether something that it started runs in its group. */
  hasLeft: boolean;
  exits(status: Partial<ExitStatus>): void;
}

interface Tree {
  readonly daemons: MemoryDaemon[];
  /** Endpoints at which something answers. */
  readonly answering: Set<string>;

  readonly modules: readonly CheckedModule[];
  /** What the command that a program of the broker is started with answers. */
  readonly programs: ReadonlyMap<string, Answers>;
  readonly processes: Map<string, MemoryRuntime>;
  readonly sockets: Map<string, (channel: Channel) => void>;
  lastPid: number;
}

/** One process of a tree. */
export class MemoryRuntime extends FakeRuntime {
  override readonly pid: number;
  override readonly clock: ManualClock;
  override readonly files: () => Promise<PrivateFiles>;
  readonly #tree: Tree;
  /** The end of its channel to the process that started it. */
  readonly parent: MemoryChannel | undefined;
  #exited: (status: ExitStatus) => void = () => {};
  /** How the process ended. */
  readonly exited = new Promise<ExitStatus>((resolve) => this.#exited = resolve);
  /** The thread that runs now. */
  threadName: string | undefined;

  constructor(tree: Tree, { parent, env = {}, clock }: {
    readonly parent?: MemoryChannel;
    readonly env?: Readonly<Record<string, string>>;
    readonly clock?: ManualClock;
  } = {}) {
    super({ ...env });
    this.pid = ++tree.lastPid;
    this.clock = clock ?? new ManualClock();
    this.#tree = tree;
    this.parent = parent;
    const files: PrivateFiles = {
      folder: (name) => `/run/${name}`,
      list: () => [...tree.sockets.keys()].map((path) => path.slice(path.lastIndexOf("/") + 1)),
      remove: (path) => void tree.sockets.delete(path),
    };
    this.files = () => Promise.resolve(files);
  }

  override thread = (): string | undefined => this.threadName;

  override spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
    const [near, far] = MemoryChannel.pair();
    const env = options.env("memory");
    const { role } = readRole(env[ROLE_VARIABLE]);
    if (role === null) throw new Error("a process without a role");
    const child = new MemoryRuntime(this.#tree, { parent: far, env, clock: this.clock });
    this.#tree.processes.set(role.process, child);
    const load = () => Promise.resolve(this.#tree.modules.filter(({ program }) => program === undefined));
    void serveProcess({ runtime: child, role, load, program: undefined, product: "Shinken", aligned: false });
    const kill = (signal: string) => {
      child.#exited({ code: null, signal });
      far.close();
      return true;
    };
    return Promise.resolve({
      pid: child.pid,
      channel: Promise.resolve(near),
      exited: child.exited,
      kill,
      groupRuns: () => false,
    });
  }

  override parentChannel(): Promise<Channel> {
    return this.parent === undefined ? super.parentChannel() : Promise.resolve(this.parent);
  }

  override exit(code = 0): never {
    this.parent?.close();
    this.#exited({ code, signal: null });
    // What comes after it in a process comes never.
    return undefined as never;
  }

  /** A guard that does nothing, a shell that knows no limit, or one of the programs. */
  override spawnCommand(command: readonly string[], _options: SpawnCommandOptions): Promise<CommandProcess> {
    const [near, far] = MemoryChannel.pair();
    let ended = (_status: ExitStatus) => {};
    const exited = new Promise<ExitStatus>((resolve) => ended = resolve);
    const end = () => {
      far.close();
      ended({ code: 0, signal: null });
    };
    const write = (text: string) => far.write(new TextEncoder().encode(text));
    const answers = this.#tree.programs.get(command[0] ?? "");
    const reader = newReader("newline", {
      message(text) {
        const request: Request = JSON.parse(text);
        const answer = answers?.(request);
        if (answer !== undefined) {
          far.write(frameMessage("newline", JSON.stringify({ jsonrpc: "2.0", id: request.id, ...answer })));
        }
      },
      stray: () => {},
      dropped: () => {},
    });
    far.open({ data: (chunk) => answers && reader.push(chunk), drained: () => {}, closed: end });
    if (command.at(-1) === "ulimit -n") end();
    else if (answers === undefined) write("ready\n");
    const kill = (signal: string) => {
      far.close();
      ended({ code: null, signal });
      return true;
    };
    return Promise.resolve({ pid: 99, channel: near, exited, kill, groupRuns: () => false });
  }

  override spawnDaemon(command: readonly string[], options: SpawnCommandOptions): Promise<SpawnedProcess> {
    const signals: string[] = [];
    let ended = (_status: ExitStatus) => {};
    const exited = new Promise<ExitStatus>((resolve) => ended = resolve);
    const exits = (status: Partial<ExitStatus>) => ended({ code: null, signal: null, ...status });
    const daemon: MemoryDaemon = { command, options, signals, hasLeft: false, exits };
    this.#tree.daemons.push(daemon);
    const kill = (signal: string) => signals.push(signal) > 0;
    const groupRuns = () => daemon.hasLeft;
    return Promise.resolve({ pid: 200 + this.#tree.daemons.length, exited, kill, groupRuns });
  }

  override answers({ at }: Endpoint): Promise<boolean> {
    return Promise.resolve(this.#tree.answering.has(at));
  }

  override listen(path: string, accept: (channel: Channel) => void): Promise<Listener> {
    this.#tree.sockets.set(path, accept);
    return Promise.resolve({ close: () => void this.#tree.sockets.delete(path) });
  }

  override connect(path: string): Promise<Channel> {
    const accept = this.#tree.sockets.get(path);
    if (accept === undefined) return Promise.reject(Object.assign(new Error("nobody listens"), { code: "ENOENT" }));
    const [near, far] = MemoryChannel.pair();
    accept(near);
    return Promise.resolve(far);
  }
}

export interface MemoryTreeOptions extends Partial<BrokerOptions> {
  readonly programs?: Readonly<Record<string, Answers>>;
  /** The clock of its processes. @default one of its own */
  readonly clock?: ManualClock;
}

/** A broker, and the processes of its modules and their workers. */
export class MemoryTree {
  readonly runtime: MemoryRuntime;
  readonly records: LogRecord[] = [];
  readonly core: BrokerCore;
  readonly #tree: Tree;

  constructor(modules: readonly AnyModule[], { programs = {}, clock, ...options }: MemoryTreeOptions = {}) {
    const plan = checkOptions({
      name: "broker-master",
      modules,
      logLevel: "debug",
      log: (record) => void this.records.push(record),
      ...options,
    });
    this.#tree = {
      modules: plan.modules.map(({ module }) => module),
      programs: new Map(Object.entries(programs)),
      processes: new Map(),
      sockets: new Map(),
      daemons: [],
      answering: new Set(),
      lastPid: 99,
    };
    this.runtime = new MemoryRuntime(this.#tree, clock === undefined ? {} : { clock });
    this.core = new BrokerCore(plan, { runtime: this.runtime, depth: 0, load: null });
  }

  /** With all of it up. */
  static async up(...made: ConstructorParameters<typeof MemoryTree>): Promise<MemoryTree> {
    const tree = new MemoryTree(...made);
    await tree.ends(tree.core.start());
    return tree;
  }

  /** The programs that nobody talks to, in the order of their starts. */
  get daemons(): readonly MemoryDaemon[] {
    return this.#tree.daemons;
  }

  /** Endpoints at which something answers. */
  get answering(): Set<string> {
    return this.#tree.answering;
  }

  /** The newest process of that name. */
  process(name: string): MemoryRuntime {
    const process = this.#tree.processes.get(name);
    if (process === undefined) throw new Error(`there is no process ${name}`);
    return process;
  }

  /** A client of the control socket. */
  async client(): Promise<ControlClient> {
    const { core, runtime } = this;
    const commands = controlCommands(core, { now: () => runtime.clock.now(), stop: () => core.stop() });
    await this.ends(
      ControlServer.open({ runtime, broker: core.name, commands, dropped: () => {}, restored: () => {} }),
    );
    const [path] = [...this.#tree.sockets.keys()].filter((path) => path.endsWith(".sock"));
    return await this.ends(ControlClient.connect(runtime, core.name, path ?? ""));
  }

  /** Waits for `work`, and lets what is due at this moment happen until then. */
  async ends<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => isOver = true);
    over.catch(() => {});
    for (let turn = 0; turn < 1_000 && !isOver; turn++) await this.rest();
    if (!isOver) throw new Error("it does not end without time");
    return await over;
  }

  /** Lets what is ready happen, and what the runtime loads by itself. */
  async rest(ms = 0): Promise<void> {
    await this.runtime.clock.advance(ms);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await this.runtime.clock.advance(0);
  }

  /** Lines of the events that `ids` matches, from the module in the prefix on, without the pid. */
  lines(ids: RegExp): string[] {
    return this.records.filter(({ event }) => ids.test(event)).flatMap((record) => record.lines())
      .map((line) =>
        line.replace(/^\[[^\]]*\] /, "").replace(/\[ broker-master \] /, "").replace(/\[ PID:\d+ \] /, "")
      );
  }
}
