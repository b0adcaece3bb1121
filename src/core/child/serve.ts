/**
 * What a new process does from `Broker.start` to its end: it greets its parent, cleans, starts, serves until it receives a stop, and
 * never outlives its channel. `session.ts` is the other side.
 */

import type { Channel, Runtime } from "../../runtime/runtime.ts";
import { CallServer } from "../call/server.ts";
import type { CallClient } from "../call/client.ts";
import { describeThrown } from "../log/stack.ts";
import { cleanAfterFork } from "./cleanup.ts";
import { CODECS, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import {
  type ControlFromChild,
  controlFromChild,
  type ControlFromParent,
  controlFromParent,
  END_SIGNALS,
  type EndSignal,
  EXIT_CODES,
  type Hello,
  helloOf,
  helloText,
  INSPECTOR_MS,
  readHello,
  type Setup,
  TREE_SIGNAL_MS,
} from "../wire/messages.ts";
import { FrameReporter } from "../log/reporter.ts";
import type { Module } from "../module/definition.ts";
import type { Assigned } from "./await_role.ts";
import { encodeDepth, type Role, ROLE_VARIABLE } from "./role.ts";
import { headline, isLasting, messageOf } from "../user_code.ts";
import { sleep } from "../duration.ts";
import { ModuleHost } from "./module_host.ts";

/** Time for the last messages to reach the parent. */
const LAST_WORDS_MS = 1_000;

export interface ServeOptions {
  readonly runtime: Runtime;
  readonly role: Role;
  /** All modules that a process of that role has, in the order they were declared. */
  readonly load: (role: Role) => Promise<readonly Module[]>;
  readonly program: string | undefined;
  readonly product: string;
  readonly aligned: boolean;
  /** Ends it where it is served in its parent's process, which has nothing to clean. */
  readonly end?: (code: number) => void;
}

/** Serves until the process ends; never settles. */
export async function serveProcess(options: ServeOptions): Promise<never> {
  const { servingClock } = options.runtime;
  const ownRuntime = servingClock === undefined ? options.runtime : { ...options.runtime, clock: servingClock };
  const { runtime, role, channel } = await takeRole({ ...options, runtime: ownRuntime });
  new ServedProcess({ ...options, runtime, role }, channel);
  return await new Promise<never>(() => {});
}

/** What this process starts by itself has no role of its own, but is as deep. */
async function takeRole(options: ServeOptions): Promise<Assigned> {
  const { runtime, role } = options;
  const leave = ({ descendants, tree, depth }: Role) =>
    runtime.env.set(ROLE_VARIABLE, encodeDepth(depth, descendants === "keep" ? null : tree, runtime.pid));
  leave(role);
  const own = { runtime, role, channel: await runtime.parentChannel(role.channel) };
  if (role.standby !== true) return own;
  const { awaitRole, rehearse } = await import("./await_role.ts");
  await rehearse({ ...own, load: options.load }, (part, channel) => {
    new ServedProcess({ ...options, ...part }, channel);
  });
  const assigned = await awaitRole(own);
  leave(assigned.role);
  return assigned;
}

class ServedProcess {
  readonly #options: ServeOptions;
  readonly #link: Link;
  readonly #reporter: FrameReporter;
  #client: CallClient | undefined;
  #loading: Promise<CallClient> | undefined;
  #server: CallServer | undefined;
  /** Makes it for the first call: no start needs it. */
  #newServer: (() => CallServer) | undefined;
  /** Whether calls run; until then they wait. */
  #isReady = false;
  #host: ModuleHost | undefined;
  #stoppedAt: number | null = null;
  #wasSignalled = false;
  #isAbandoned = false;
  #drainMs = 0;
  #closeInspector: (() => void) | undefined;
  readonly #forgetSignals: () => void;

  constructor(options: ServeOptions, channel: Channel) {
    const { runtime, role, product, aligned } = options;
    this.#options = options;
    this.#link = new Link(channel, runtime.clock, {
      frameLimit: DEFAULT_FRAME_LIMIT,
      shared: { files: () => runtime.sharedFiles(), makes: false },
      events: {
        frame: (type, flags, body) => this.#frame(type, flags, body),
        refused: (reason, excerpt) => {
          const fields = { process: role.broker, what: `frame (${reason}: ${excerpt})`, count: 1 };
          this.#reporter.report("process.dropped", fields, { module: role.process });
          // Without the parent's hello it would wait for ever, and so would its parent.
          if (this.#host === undefined) this.#link.close(reason);
        },
        drained: () => this.#client?.drained(),
        closed: (reason) => void this.#cutOff(reason),
      },
    });
    this.#reporter = new FrameReporter(runtime, this.#link, { broker: role.broker, product, aligned });
    const hello = helloOf(runtime, { broker: role.broker, process: role.process, codecs: CODECS });
    this.#link.send(FrameType.hello, helloText(hello));
    const forgets = END_SIGNALS.map((signal) => runtime.onSignal(signal, () => this.#signalled(signal)));
    this.#forgetSignals = () => forgets.forEach((forget) => forget());
  }

  #frame(type: number, flags: number, body: Uint8Array): void {
    if (type === FrameType.hello) this.#greeted(readHello(body));
    else if (this.#server?.receive(type, flags, body)) return;
    else if (type === FrameType.calls) this.#takeFirst(flags, body);
    else if (type === FrameType.answers) this.#client?.answers(flags, body);
    else if (type === FrameType.ping) this.#link.pong();
    else if (type === FrameType.pong) this.#client?.pong(body);
    else if (type === FrameType.notice) this.#message(body);
  }

  #greeted(hello: Hello): void {
    if (hello.setup === null || this.#host !== undefined) return;
    this.#link.negotiate(hello.codecs);
    const { runtime, role } = this.#options;
    const setup = hello.setup;
    this.#drainMs = setup.supervision.drainMs;
    this.#reporter.want(setup.wanted);
    const host = new ModuleHost({
      ...this.#options,
      reporter: this.#reporter,
      setup,
      keepsOwned: this.#options.end !== undefined,
      send: (message) => this.#send(message),
      parent: () => this.#loading ??= this.#loadClient(setup.frameLimit),
    });
    this.#host = host;
    this.#newServer = () =>
      new CallServer(this.#link, {
        reporter: this.#reporter,
        service: host,
        module: role.process,
        peer: hello.process,
        frameLimit: setup.frameLimit,
        ownFiles: runtime.ownFiles,
      });
    void this.#start(host, setup);
  }

  #takeFirst(flags: number, body: Uint8Array): void {
    this.#server = this.#newServer?.();
    if (this.#isReady) this.#server?.open();
    this.#server?.receive(FrameType.calls, flags, body);
  }

  /** The code is loaded for the first call: many modules only answer. */
  async #loadClient(frameLimit: number): Promise<CallClient> {
    const { newClient } = await import("../call/client.ts");
    const { runtime, role } = this.#options;
    this.#client = newClient(runtime, { reporter: this.#reporter, module: role.process, frameLimit });
    this.#client.connect(this.#link);
    return this.#client;
  }

  async #start(host: ModuleHost, setup: Setup): Promise<void> {
    const { runtime, role, load, end } = this.#options;
    try {
      const modules = await load(role);
      const own = modules.find((candidate) => candidate.name === role.module);
      if (own === undefined) throw new Error(`Cannot serve module "${role.module}": the program does not declare it`);
      const cleanup = end !== undefined ? null : await cleanAfterFork({
        runtime,
        reporter: this.#reporter,
        role,
        modules,
        deadlineMs: setup.cleanupMs,
        cleaning: (owner) => this.#cleaning(owner),
      });
      this.#send({ kind: "cleaned" });
      this.#link.flush();
      await host.start(own, modules);
      this.#send({ kind: "ready", commands: [...host.commands.keys()], cleanup });
      this.#isReady = true;
      this.#server?.open();
    } catch (error) {
      const thrown = describeThrown(error);
      const lasting = isLasting(error);
      this.#send({ kind: "failed", error: thrown, ...(lasting ? { lasting } : {}) });
      // The text of a mistake in the configuration is enough: the stack is brokkr's own.
      if (!lasting) runtime.writeError(`${thrown.stack || headline(thrown)}\n`);
      await this.#leave(1);
    }
  }

  // A hook may end or block the process: the parent knows whose it is before it is called.
  async #cleaning(owner: string | null): Promise<void> {
    this.#send({ kind: "cleaning", owner });
    this.#link.flush();
    if (this.#link.isOver(1)) await new Promise<void>((resolve) => this.#link.onceDrained(resolve));
  }

  #message(body: Uint8Array): void {
    const message = controlFromParent.read(body);
    if (message.kind === "stop") void this.#stop(message.signal);
    else if (message.kind === "start-admitted") this.#host?.workers?.admitted(message.start);
    else if (message.kind === "wanted") {
      this.#reporter.want(message.events);
      this.#host?.workers?.sendToAll(message);
    } else if (message.kind === "targets") this.#host?.follow(message.targets);
    else if (message.kind === "restart") {
      void this.#answerStatus(message.request, () => this.#host?.workers?.restart(message.worker));
    } else if (message.kind === "scale") {
      void this.#answerStatus(message.request, () => this.#host?.scale(message.workers));
    } else if (message.kind === "status") void this.#answerStatus(message.request);
    else if (message.kind === "inspect") void this.#inspect(message);
  }

  async #inspect({ request, worker, action }: ControlFromParent<"inspect">): Promise<void> {
    try {
      const open = action === "open";
      const inspected = worker === null ? this.#inspector(open) : this.#host?.workers?.inspect(worker, open);
      this.#send({ kind: "inspected", request, url: await inspected ?? null, error: null });
    } catch (error) {
      this.#send({ kind: "inspected", request, url: null, error: messageOf(error) });
    }
  }

  async #inspector(open: boolean): Promise<string | null> {
    const { runtime } = this.#options;
    this.#closeInspector?.();
    if (!open) return null;
    const url = await runtime.openInspector();
    const clear = runtime.clock.timer(INSPECTOR_MS, () => this.#closeInspector?.());
    this.#closeInspector = () => {
      this.#closeInspector = undefined;
      clear();
      void runtime.closeInspector();
    };
    return url;
  }

  async #answerStatus(request: number, work: () => Promise<void> | undefined = () => undefined): Promise<void> {
    const error = await work()?.then(() => undefined, messageOf);
    const workers = await this.#host?.workers?.status() ?? [];
    this.#send({ kind: "status", request, workers, ...(error === undefined ? {} : { error }) });
  }

  /** A signal asks this process to end: the parent knows whether all of its processes got it. A second signal ends it at once. */
  #signalled(signal: EndSignal): void {
    if (this.#wasSignalled || this.#isOverdue) {
      this.#forgetSignals();
      return this.#options.runtime.raise(signal);
    }
    this.#wasSignalled = true;
    this.#host?.expectEnd();
    this.#send({ kind: "signal", signal });
    this.#link.flush();
  }

  /** Whether it was asked to stop so long ago that a signal is the parent's, which does not wait any more. */
  get #isOverdue(): boolean {
    if (this.#stoppedAt === null) return false;
    return this.#options.runtime.clock.now() - this.#stoppedAt >= Math.min(TREE_SIGNAL_MS, this.#drainMs / 2);
  }

  async #stop(signal: EndSignal | undefined): Promise<void> {
    if (this.#stoppedAt !== null) return;
    this.#stoppedAt = this.#options.runtime.clock.now();
    await this.#server?.idle();
    if (this.#isAbandoned) return;
    await this.#host?.stop();
    // A debugger would keep the process.
    this.#closeInspector?.();
    this.#send({ kind: "stopped" });
    await this.#leave(signal === undefined ? 0 : EXIT_CODES[signal], signal);
  }

  /** A process without its channel has no parent, and ends. Where it ended the channel itself, its parent learns why. */
  async #cutOff(reason: string | null): Promise<void> {
    if (this.#options.end !== undefined) this.#abandon();
    if (reason !== null) return await this.#leave(1);
    this.#exit(0);
  }

  /** The module's own code outlives it: what looks at its signals can end. */
  #abandon(): void {
    this.#isAbandoned = true;
    this.#server?.abort();
    this.#host?.abandon();
  }

  #exit(code: number): void {
    const { end, runtime } = this.#options;
    if (end === undefined) runtime.exit(code);
    else end(code);
  }

  /** Ends the process when the parent has all that was sent, or does not read any more. */
  async #leave(code: number, signal?: EndSignal): Promise<void> {
    this.#link.flush();
    await this.#reporter.printed();
    const { clock } = this.#options.runtime;
    const deadline = clock.now() + LAST_WORDS_MS;
    while (this.#link.unsentBytes > 0 && clock.now() < deadline) await sleep(clock, 1);
    if (signal !== undefined) {
      this.#forgetSignals();
      this.#options.runtime.raise(signal);
      // Deno acts on it in a thread of its own, and the module's code may listen for it.
      await sleep(clock, LAST_WORDS_MS);
    }
    this.#exit(code);
  }

  /** Sends `message` after the events that were reported before. */
  #send(message: ControlFromChild): void {
    this.#reporter.flush();
    this.#link.send(FrameType.notice, controlFromChild.text(message));
  }
}
