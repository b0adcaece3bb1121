/**
 * The one seam between brokkr and the runtime it runs on. The core is handed a {@link Runtime} and knows nothing else of
 * Deno, Node or Bun; a file beside this one implements it for each of them.
 *
 * @module
 */

/** A byte stream in both directions between two processes. Bytes arrive in order, in chunks of any size. */
export interface Channel {
  /** Hands `bytes` to the transport, which keeps them until they are out: the caller may change them when nothing is unsent. */
  write(bytes: Uint8Array): void;
  /** How many bytes were handed over and have not left this process yet. */
  readonly unsentBytes: number;
  /** Begins to deliver. Called once, with no bytes lost before it. */
  open(events: ChannelEvents): void;
  /** Ends the channel after the bytes already written are out; data may still come until `closed`. Idempotent. */
  close(): void;
  /** Ends the channel at once: what is unsent is lost, and the other side's end is not awaited. Idempotent. */
  abort(): void;
}

export interface ChannelEvents {
  /** Bytes that arrived; their memory may be used for the next ones when this returns. */
  data(chunk: Uint8Array): void;
  /** Bytes had to wait, and all of them have left now. Never called where each write was taken at once. */
  drained(): void;
  /** The last event, once: the other side ended or half of it did, or the transport failed with `error`. */
  closed(error?: Error): void;
}

/** Monotonic time and timers. Tests of the core own one of these. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since the epoch, for log lines only. */
  wall(): number;
  /** Calls `fn` once after `ms` milliseconds. The timer keeps the process alive. Returns the function that clears it. */
  timer(ms: number, fn: () => void): () => void;
  /** Calls `fn` after the events that are ready now have been handled. */
  soon(fn: () => void): void;
  /**
   * Makes `error` an uncaught error of this process, with its own stack, on a turn of its own: whatever was at work when the program's
   * code threw it (a frame, a call, a peer) is not at fault, and goes on.
   */
  throwUncaught(error: unknown): void;
}

/** How a process ended: an exit code, or the signal that ended it. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What both kinds of new process have. */
export interface SpawnedProcess {
  readonly pid: number;
  /** Settles when the process has ended and what it printed was handed over. A grandchild that holds its pipes delays it by 75 ms. */
  readonly exited: Promise<ExitStatus>;
  /**
   * Signals the process, or with `group` the process and everything it started. False when there is nobody to signal: after
   * the end of the process only `group` still reaches what it left behind.
   */
  kill(signal: string, options?: { readonly group?: boolean }): boolean;
}

/** A new process of the same program. */
export interface ProgramProcess extends SpawnedProcess {
  /** Settles when it can be written to; rejects when the process ended before. Only its first bytes tell that it runs. */
  readonly channel: Promise<Channel>;
}

/** A new process of another program, with its standard input and output piped. */
export interface CommandProcess extends SpawnedProcess {
  /** Standard input (`write`) and standard output (`data`) as one channel. */
  readonly channel: Channel;
}

export type OutputSink = (stream: "stdout" | "stderr", chunk: Uint8Array) => unknown;

export interface SpawnOptions {
  readonly cwd?: string | undefined;
  /**
   * What the process prints, in chunks; called until both streams have ended. Where it returns a promise, the stream is not read on
   * before that settles.
   */
  readonly output?: OutputSink | undefined;
  /** In a session and process group of its own, so that the whole tree can be signalled. */
  readonly group: boolean;
}

/** What a process may do by kind of right: all of a kind, what is named, or nothing where it is left out. */
export type Rights = Readonly<Record<string, readonly string[] | boolean | undefined>>;

/** A process that is held to fewer rights than this one has. */
export interface Sandbox {
  readonly rights: Rights;
  /** Files that it loads by itself, as paths or URLs. */
  readonly files: readonly string[];
}

export interface SpawnProgramOptions extends SpawnOptions {
  /** The whole environment of the new process, given the address of its side of the channel. */
  readonly env: (channelAddress: string) => Readonly<Record<string, string>>;
  /** URL or path of the program; the running one when absent. */
  readonly program?: string | undefined;
  /** Fewer rights than this process has, and what brokkr needs. Only where `cannotSandbox` is null. */
  readonly sandbox?: Sandbox | undefined;
  /** Whether it must be able to collect garbage: Deno's processes are the slower to start for it. @default true */
  readonly collects?: boolean | undefined;
}

export interface SpawnCommandOptions extends SpawnOptions {
  readonly env: Readonly<Record<string, string>>;
}

/** Memory of one process in bytes; `null` where this system can't tell. */
export interface MemoryUsage {
  /** Resident set size: pages that other processes share count in full. */
  readonly rssBytes: number | null;
  /** Proportional set size: shared pages count in parts. */
  readonly pssBytes: number | null;
  /** `Private_Dirty` + `Private_Hugetlb`: what ending the process would give back. */
  readonly privateBytes: number | null;
}

/** So many of one kind are open in a process, such as timers, sockets or one file. */
export interface OpenHandle {
  readonly kind: string;
  readonly count: number;
}

export interface Environment {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  remove(name: string): void;
  all(): Record<string, string>;
}

export interface Listener {
  /** Removes the socket; what is connected stays. Idempotent. */
  close(): void;
}

/** Files that only this user sees: where the control sockets are. Each method throws what the system says. */
export interface PrivateFiles {
  /** Path of this user's folder `name`, made where it is missing. @throws when others own it or may enter it. */
  folder(name: string): string;
  /** Names of what is in a folder. */
  list(folder: string): string[];
  /** Removes a file; one that is not there is removed. */
  remove(path: string): void;
}

/** A file in memory that two processes have open at once. */
export interface SharedFile {
  readonly path: string;
  /** Writes all of `bytes` from `at` on. @throws where the system has no room for them. */
  write(bytes: Uint8Array, at: number): void;
  /** The `length` bytes from `at` on, in memory of their own. @throws where the file ends before. */
  read(at: number, length: number): Uint8Array;
  /** Gives its memory back to the system. */
  empty(): void;
  /** Removes its name: who has it open keeps it. Idempotent. */
  unname(): void;
  close(): void;
}

/** Files in memory. Each method throws what the system says. */
export interface SharedFiles {
  /** Makes one that only this user may open. */
  make(): SharedFile;
  open(path: string): SharedFile;
}

export interface Runtime {
  readonly name: "deno" | "node" | "bun";
  readonly version: string;
  readonly pid: number;
  readonly clock: Clock;
  /** For a process that its channel keeps alive: timers that need not, and are the cheaper for it. @default `clock` */
  readonly servingClock?: Clock;
  readonly env: Environment;
  /** How the paths of the library's own source files begin, whose frames are dropped from logged stacks. */
  readonly ownFiles: readonly string[];
  /**
   * Whether the stack of an error leads from the promise that throws it, through those that were resolved with it, to who awaits
   * them. V8 follows promises, JavaScriptCore only what an async function itself awaits.
   */
  readonly tracesPromises: boolean;
  /** Where the program that runs now stands, or null in a compiled binary. */
  readonly program: string | null;
  /** Where this process was started, and so where a new process of it starts; null where that folder can't be told. */
  readonly startedIn: string | null;
  /** A relative `path` as it was meant where this process was started. */
  fromStart(path: string): string;
  /** Whether `path` is a folder, as far as this process may know. */
  isFolder(path: string): boolean;
  /** The folder of `program`, or of the program that runs now; null in a compiled binary, and for a program that is no file. */
  programFolder(program: string | undefined): string | null;
  /** Why the program that runs now can't be run again by a new process; null where it can. */
  cannotRepeat(): string | null;
  /** Why a new process can't be given fewer rights than this one, and what to do; null where it can. */
  readonly cannotSandbox: string | null;

  /** Loads what creating a process needs, so that the first one does not wait for it. */
  prepareSpawn?(): Promise<void>;
  /**
   * Creates a process of the same program, with its arguments and runtime flags, no standard input and a private channel.
   *
   * @throws {Error} whose `lasting` is true where another try would fail too: this process lacks the right to create one.
   */
  spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess>;
  /** Creates a process of another program. */
  spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess>;
  /** In a new process: its side of the channel that `spawnProgram` made. */
  parentChannel(address: string): Promise<Channel>;

  /** Serves a unix socket at `path`, in a folder that exists; the socket is never open to other users. */
  listen(path: string, accept: (channel: Channel) => void): Promise<Listener>;
  connect(path: string): Promise<Channel>;
  files(): Promise<PrivateFiles>;
  /** Null where this system, or the rights of this process, have none. */
  sharedFiles(): Promise<SharedFiles | null>;

  memory(pid: number): Promise<MemoryUsage>;
  /** How many processors this process may use. */
  processors(): number;
  /** Processes that have ended and that nobody but this one could collect; null where it can't be told. */
  zombies(): number | null;
  /** A number from 0 to 1, by chance. */
  random(): number;
  /** Bytes of live objects on this process' own heap, or null. */
  heapBytes(): number | null;
  openFiles(): Promise<number | null>;
  /** What is open in this process beside what brokkr and the runtime need, by kind; null where that can't be told. */
  openHandles?(): Promise<readonly OpenHandle[] | null>;
  /** Collects garbage where the runtime can. False where it can't. */
  collectGarbage(): Promise<boolean>;

  /** The name of the context that `withThread` runs in, if any. */
  thread(): string | undefined;
  /** Calls `fn` on each `signal`. Returns the function that stops it. */
  onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP", fn: () => void): () => void;
  /** Sends this process `signal`, which ends it where nobody listens for it. */
  raise(signal: "SIGINT" | "SIGTERM"): void;
  /** Writes whole lines to standard error: at once, or where its reader stalls as soon as it reads. They wait for it a second at most. */
  writeError(text: string): void;
  /** Sets what is called when the reader is back and lines are lost. */
  whenErrorLost?(fn: (lines: number, reason: string) => void): void;
  exit(code: number): never;
  /** The program's own call to end this process throws `refusal(code)`, until the returned function is called; `exit` still ends it. */
  refuseExit(refusal: (code: unknown) => Error): () => void;
}
