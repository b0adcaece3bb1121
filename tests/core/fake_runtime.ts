import type {
  Channel,
  CommandProcess,
  Endpoint,
  Environment,
  Listener,
  MemoryUsage,
  PrivateFiles,
  ProgramProcess,
  Runtime,
  SpawnCommandOptions,
  SpawnedProcess,
  SpawnProgramOptions,
} from "../../src/runtime/runtime.ts";
import { ManualClock } from "./manual_clock.ts";

class FakeEnvironment implements Environment {
  readonly variables: Record<string, string>;

  constructor(variables: Record<string, string>) {
    this.variables = variables;
  }

  get(name: string): string | undefined {
    return this.variables[name];
  }

  set(name: string, value: string): void {
    this.variables[name] = value;
  }

  remove(name: string): void {
    delete this.variables[name];
  }

  all(): Record<string, string> {
    return { ...this.variables };
  }
}

/** A runtime without processes: its clock is the test's, its figures are what the test says. */
export class FakeRuntime implements Runtime {
  readonly name = "node";
  readonly version = "0.0.0";
  pid = 29341;
  readonly ownFiles: string[] = [];
  readonly program = null;
  readonly startedIn = "/start";
  readonly tracesPromises = false;
  cannotSandbox: string | null = null;
  cannotTakeFlags: string | null = null;
  readonly clock = new ManualClock();
  readonly env: FakeEnvironment;
  files: () => Promise<PrivateFiles> = () => Promise.resolve({ folder: noFiles, list: noFiles, remove: noFiles });
  /** Collections of garbage so far. */
  collected = 0;
  /** Figures by how much was collected: before and after. */
  figures: {
    pssBytes: number | null;
    privateBytes: number | null;
    heapBytes: number | null;
    openFiles: number | null;
  }[] = [{ pssBytes: 300, privateBytes: 200, heapBytes: 100, openFiles: 30 }];

  /** What was written to standard error. */
  readonly printed: string[] = [];
  /** What the program's own exit throws now. */
  refusal: ((code: unknown) => Error) | null = null;
  openHandles?: NonNullable<Runtime["openHandles"]>;

  whenErrorLost(_fn: (lines: number, reason: string) => void): void {}

  constructor(variables: Record<string, string> = {}) {
    this.env = new FakeEnvironment(variables);
  }

  get #figures() {
    return this.figures[Math.min(this.collected, this.figures.length - 1)] ??
      { pssBytes: null, privateBytes: null, heapBytes: null, openFiles: null };
  }

  fromStart(path: string): string {
    return path.startsWith("/") ? path : `${this.startedIn}/${path}`;
  }

  enterFolder(path: string): string {
    return path;
  }

  isFolder(_path: string): boolean {
    return true;
  }

  programFolder(): string | null {
    return null;
  }

  cannotRepeat(): string | null {
    return null;
  }

  sharedFiles(): Promise<null> {
    return Promise.resolve(null);
  }

  memory(): Promise<MemoryUsage> {
    const { pssBytes, privateBytes } = this.#figures;
    return Promise.resolve({ rssBytes: null, pssBytes, privateBytes });
  }

  processors(): number {
    return 2;
  }

  /** Half: no jitter. */
  random(): number {
    return 0.5;
  }

  newId(): string {
    return crypto.randomUUID().replaceAll("-", "");
  }

  heapBytes(): number | null {
    return this.#figures.heapBytes;
  }

  openFiles(): Promise<number | null> {
    return Promise.resolve(this.#figures.openFiles);
  }

  collectGarbage(): Promise<boolean> {
    this.collected++;
    return Promise.resolve(true);
  }

  thread(): string | undefined {
    return undefined;
  }

  onSignal(): () => void {
    return () => {};
  }

  hasTerminal(): boolean {
    return false;
  }

  raise(): void {}

  /** How long its processes had no processor. */
  waited = 0;

  waitedMs(): number {
    return this.waited;
  }

  /** What has ended and is not collected. */
  uncollected: number | null = null;

  zombies(): number | null {
    return this.uncollected;
  }

  writeError(text: string): void {
    this.printed.push(text);
  }

  spawnProgram(_options: SpawnProgramOptions): Promise<ProgramProcess> {
    return notHere();
  }

  spawnCommand(_command: readonly string[], _options: SpawnCommandOptions): Promise<CommandProcess> {
    return notHere();
  }

  spawnDaemon(_command: readonly string[], _options: SpawnCommandOptions): Promise<SpawnedProcess> {
    return notHere();
  }

  answers(_endpoint: Endpoint): Promise<boolean> {
    return notHere();
  }

  /** Where the inspector is, while it is open. */
  inspector: string | null = null;

  openInspector(): Promise<string> {
    return Promise.resolve(this.inspector ??= "ws://127.0.0.1:46367/id");
  }

  closeInspector(): Promise<void> {
    this.inspector = null;
    return Promise.resolve();
  }

  parentChannel(): Promise<Channel> {
    return notHere();
  }

  listen(_path: string, _accept: (channel: Channel) => void): Promise<Listener> {
    return notHere();
  }

  connect(_path: string): Promise<Channel> {
    return notHere();
  }

  refuseExit(refusal: (code: unknown) => Error): () => void {
    this.refusal = refusal;
    return () => this.refusal = null;
  }

  exit(): never {
    throw new Error("a fake runtime can't exit");
  }
}

function noFiles(): never {
  throw new Error("a fake runtime has no files");
}

function notHere(): Promise<never> {
  return Promise.reject(new Error("a fake runtime has no processes and no sockets"));
}
