import { CallClient, DEFAULT_LIMITS } from "../../../src/core/call/client.ts";
import { CallCounters } from "../../../src/core/call/outcomes.ts";
import type { CallRequest } from "../../../src/core/call/call.ts";
import { type ProgramDefinition, programModule } from "../../../src/core/module/program.ts";
import type { Framing } from "../../../src/core/settings/settings.ts";
import { frameMessage, newReader } from "../../../src/core/program/framing.ts";
import { ProgramSession } from "../../../src/core/program/session.ts";
import type { ProcessEnd } from "../../../src/core/child/child_spec.ts";
import { Supervision } from "../child/fake_process.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { TestReporter } from "../log_of.ts";
import { settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";
import type { CommandProcess, ExitStatus } from "../../../src/runtime/runtime.ts";

interface SentMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A program that does what the test says, one life of it, and the calls to it. */
export class FakeProgram {
  readonly runtime = new FakeRuntime();
  readonly reporter = new TestReporter();
  readonly counters = new CallCounters();
  readonly caller: CallClient;
  readonly session: ProgramSession;
  /** What brokkr sent and the test has not taken. */
  readonly received: SentMessage[] = [];
  readonly signals: string[] = [];
  readonly events: string[] = [];
  /** How often the costly part of its start was over. */
  cleaned = 0;
  readonly ends: ProcessEnd[] = [];
  /** Brokkr's end of the program's input and output. */
  readonly near: MemoryChannel;
  readonly #far: MemoryChannel;
  readonly #framing: Framing;
  #exit: (status: ExitStatus) => void = () => {};
  #print: (chunk: Uint8Array) => void = () => {};

  constructor(definition: Partial<ProgramDefinition> = {}, { queue = DEFAULT_LIMITS.calls } = {}) {
    const { program: plan } = programModule({ name: "everything", command: ["server", "--stdio"], ...definition });
    if (plan === undefined) throw new Error("no plan");
    const { runtime, reporter } = this;
    const { clock } = runtime;
    this.#framing = plan.framing;
    [this.near, this.#far] = MemoryChannel.pair();
    this.#listen(plan.framing);
    runtime.spawnCommand = (_command, options) => {
      this.#print = (chunk) => options.output?.("stderr", chunk);
      return Promise.resolve(this.#process());
    };
    this.caller = new CallClient({
      clock,
      reporter,
      counters: this.counters,
      module: "everything",
      limits: { ...DEFAULT_LIMITS, calls: queue },
      frameLimit: 16 * 1024 * 1024,
      thread: () => undefined,
      tracesPromises: false,
      ownFiles: [],
    });
    const nothing = () => {};
    const { spec } = new Supervision();
    this.session = new ProgramSession({
      spec: { ...spec, name: "everything", module: "everything", parent: { ...spec.parent, runtime, reporter } },
      caller: this.caller,
      events: {
        greeted: nothing,
        cleaned: () => this.cleaned++,
        alive: () => this.events.push("alive"),
        records: nothing,
        message: nothing,
        dropped: (what, count) => this.events.push(`dropped ${count} ${what}`),
        ready: () => {
          this.events.push("ready");
          if (this.session.link !== undefined) this.caller.connect(this.session.link);
        },
        output: ({ stream, text }) => this.events.push(`${stream} ${text}`),
        killed: (signal, why) => this.events.push(`${signal} ${why}`),
        ended: (end) => {
          this.ends.push(end);
          const { code: exitCode, signal, lastLines } = end;
          this.caller.disconnect({ code: "GONE", reason: "process exited", exitCode, signal, lastLines });
        },
      },
    }, plan);
  }

  /** Starts it and lets it answer what its protocol asks first. */
  static async ready(
    definition: Partial<ProgramDefinition> = {},
    options?: ConstructorParameters<typeof FakeProgram>[1],
  ): Promise<FakeProgram> {
    const program = new FakeProgram(definition, options);
    await program.start();
    const [initialize] = program.takes();
    if (initialize?.id !== undefined) {
      await program.says({ id: initialize.id, result: { serverInfo: { name: "fake" } } });
      program.takes();
    }
    return program;
  }

  async start(): Promise<void> {
    await this.session.spawn();
    await this.runtime.clock.advance(0);
  }

  call(command: string, params: readonly unknown[] = [], options: Partial<CallRequest> = {}): Promise<unknown> {
    const made = this.caller.call(command, params, {
      target: "everything",
      timeoutMs: 1_000,
      retry: "never",
      ...options,
    });
    made.catch(() => {});
    return made;
  }

  /** The messages that came since it was last asked. */
  takes(): SentMessage[] {
    return this.received.splice(0);
  }

  async says(message: object): Promise<void> {
    this.#far.write(frameMessage(this.#framing, JSON.stringify({ jsonrpc: "2.0", ...message })));
    await settle();
  }

  /** Bytes on its standard output that are no message. */
  async prints(text: string): Promise<void> {
    this.#far.write(new TextEncoder().encode(text));
    await settle();
  }

  complains(text: string): void {
    this.#print(new TextEncoder().encode(text));
  }

  /** Whether its input has ended. */
  get inputEnded(): boolean {
    return this.near.closed;
  }

  /** Its exit is seen before its last bytes. */
  async exitSeen(status: ExitStatus): Promise<void> {
    this.#exit(status);
    await settle();
  }

  async exits(status: ExitStatus): Promise<void> {
    this.#far.close();
    await this.exitSeen(status);
    await this.runtime.clock.advance(200);
  }

  /** What notifications and trouble were reported. */
  reported(event: string): unknown[] {
    return this.reporter.events.filter((report) => report.event === event).map(({ fields }) => fields);
  }

  #process(): CommandProcess {
    return {
      pid: 100,
      channel: this.near,
      exited: new Promise((resolve) => this.#exit = resolve),
      kill: (signal) => this.signals.push(signal) > 0,
      groupRuns: () => false,
    };
  }

  #listen(framing: Framing): void {
    const reader = newReader(framing, {
      message: (text) => this.received.push(JSON.parse(text)),
      stray: (line) => this.received.push({ method: `stray ${line}` }),
      dropped: (what) => this.received.push({ method: `dropped ${what}` }),
    });
    this.#far.open({ data: (chunk) => reader.push(chunk), drained: () => {}, closed: () => {} });
  }
}
