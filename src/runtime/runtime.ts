/**
 * The one seam between brokkr and the runtime it runs on. The core receives a {@link Runtime} and knows nothing else of
 * Deno, Node or Bun; a folder beside this file implements it for each of them.
 */

/** A byte stream in both directions between two processes. Bytes arrive in order, in chunks of any size. */
export interface Channel {
  /** Hands `bytes` to the transport, which keeps them until they are sent: the caller may change them once nothing is unsent. */
  write(bytes: Uint8Array): void;
  /** How many of the bytes written are still in this process. */
  readonly unsentBytes: number;
  /** Starts delivery, also of what arrived before. Called once. */
  open(events: ChannelEvents): void;
  /** Ends the channel once the bytes written so far are sent; data may still arrive until `closed`. Idempotent. */
  close(): void;
  /** Ends the channel at once: unsent bytes are lost, and the other side's end is not awaited. Idempotent. */
  abort(): void;
}

export interface ChannelEvents {
  /** Bytes that arrived. Their memory is reused after this returns. */
  data(chunk: Uint8Array): void;
  /** Every byte that had to wait is sent. Not called where each write was sent at once. */
  drained(): void;
  /** The last event, once: the other side ended the channel or its half of it, or the transport failed with `error`. */
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
   * Makes `error` an uncaught error of this process, with its own stack, in a later turn: the code that ran when the program threw it
   * (for a frame, a call, a peer) is not at fault and continues.
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
  /** Settles when the process has ended and all of its output was delivered. A grandchild that holds its pipes delays it by 75 ms. */
  readonly exited: Promise<ExitStatus>;
  /**
   * Signals the process, or with `group` the process and everything it started. False when there is no such process: after
   * its end only `group` still reaches what it left behind.
   */
  kill(signal: string, options?: { readonly group?: boolean }): boolean;
  /** Whether the process, or anything that it started and left in the group that it leads, runs. */
  groupRuns(): boolean;
}

/** A new process of the same program. */
export interface ProgramProcess extends SpawnedProcess {
  /** Settles when it can be written to; rejects when the process ended before. Only its first bytes show that the program runs. */
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
   * Receives what the process prints, in chunks, until both streams have ended. Where it returns a promise, reading resumes
   * when that settles.
   */
  readonly output?: OutputSink | undefined;
  /** Whether it leads a process group of its own, so that the whole tree can be signalled, and has no terminal. */
  readonly group: boolean;
}

/** What a process may do, by kind of right: everything (`true`), what the list names, or nothing where the kind is left out. */
export type Rights = Readonly<Record<string, readonly string[] | boolean | undefined>>;

/** What a process with fewer rights than this one may do. */
export interface Sandbox {
  readonly rights: Rights;
  /** Files that it loads itself, as paths or URLs. */
  readonly files: readonly string[];
}

export interface SpawnProgramOptions extends SpawnOptions {
  /** The whole environment of the new process, for the address of its side of the channel. */
  readonly env: (channelAddress: string) => Readonly<Record<string, string>>;
  /** URL or path of the program.
   *
   * @default the program that runs now */
  readonly program?: string | undefined;
  /** Limits the process to these rights and those that brokkr needs. Only where `cannotSandbox` is null. */
  readonly sandbox?: Sandbox | undefined;
  /** Flags of the runtime, after those of this process. @default none */
  readonly flags?: readonly string[] | undefined;
  /** Whether it must be able to collect garbage, which makes a process of Deno slower to start. @default true */
  readonly collects?: boolean | undefined;
}

/** Where a program answers as soon as it is ready: `HOST:PORT`, or a URL. */
export interface Endpoint {
  readonly kind: "tcp" | "http";
  readonly at: string;
}

export interface SpawnCommandOptions extends SpawnOptions {
  readonly env: Readonly<Record<string, string>>;
}

/** Memory of one process in bytes; a value is `null` if the system does not provide it. */
export interface MemoryUsage {
  /** Resident set size: shared pages count in full. */
  readonly rssBytes: number | null;
  /** Proportional set size: each shared page counts in part. */
  readonly pssBytes: number | null;
  /** `Private_Dirty` + `Private_Hugetlb`: the memory that ending the process would free. */
  readonly privateBytes: number | null;
}

/** What keeps a process busy or open: how many of one kind, such as timers or sockets. */
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

/** Files that only this user sees: the control sockets. Each method throws the error of the system. */
export interface PrivateFiles {
  /** Path of this user's folder `name`, created if it is missing. @throws when another user owns it or may enter it. */
  folder(name: string): string;
  /** The names of the entries of a folder. */
  list(folder: string): string[];
  /** Removes a file if it exists. */
  remove(path: string): void;
}

/** A file in memory that two processes have open at once. */
export interface SharedFile {
  readonly path: string;
  /** Writes all of `bytes` at `at`. @throws where the system has no room for them. */
  write(bytes: Uint8Array, at: number): void;
  /** The `length` bytes at `at`, in memory of their own. @throws where the file ends before them. */
  read(at: number, length: number): Uint8Array;
  /** Gives its memory back to the system. */
  empty(): void;
  /** Removes its name: processes that have it open keep it. Idempotent. */
  unname(): void;
  close(): void;
}

/** Files in memory. Each method throws the error of the system. */
export interface SharedFiles {
  /** Creates one that only this user may open. */
  make(): SharedFile;
  open(path: string): SharedFile;
}

export interface Runtime {
  readonly name: "deno" | "node" | "bun";
  readonly version: string;
  readonly pid: number;
  readonly clock: Clock;
  /** For a process that its channel keeps alive: cheaper timers, which do not. @default `clock` */
  readonly servingClock?: Clock;
  readonly env: Environment;
  /** What the paths of the library's own source files start with. Their frames are left out of logged stacks. */
  readonly ownFiles: readonly string[];
  /**
   * Whether the stack of an error leads from the promise that rejects, through those that were resolved with it, to the function that
   * awaits them. V8 follows promises, JavaScriptCore only what an async function itself awaits.
   */
  readonly tracesPromises: boolean;
  /** Path or URL of the program that runs now; null in a compiled binary. */
  readonly program: string | null;
  /** The working directory in which this process, and so each new process of its program, starts; null where it is unknown. */
  readonly startedIn: string | null;
  /** Makes the folder at `path` the working directory. Returns its path without links. @throws where it can't be entered. */
  enterFolder(path: string): string;
  /** `path` as an absolute one; a relative path counts from `startedIn`. */
  fromStart(path: string): string;
  /** Whether `path` is a folder. True where this process lacks the right to look. */
  isFolder(path: string): boolean;
  /** The folder of `program`, by default of the program that runs now; null in a compiled binary, and for a program that is no file. */
  programFolder(program: string | undefined): string | null;
  /** Why a new process can't run the program that runs now; null where it can. */
  cannotRepeat(): string | null;
  /** Why a new process can't be given fewer rights than this one, and what to do; null where it can. */
  readonly cannotSandbox: string | null;
  /** Why a new process of the program can't be given flags of the runtime, and what to do; null where it can. */
  readonly cannotTakeFlags: string | null;

  /** Loads the code that creates processes, so that the first one does not wait for it. */
  prepareSpawn?(): Promise<void>;
  /**
   * Creates a process of the same program, with its arguments and runtime flags, no standard input and a private channel.
   *
   * @throws {Error} whose `lasting` is true where another try would fail too, as this process lacks the right to create one.
   */
  spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess>;
  /** Creates a process of another program. */
  spawnCommand(command: readonly string[], options: SpawnCommandOptions): Promise<CommandProcess>;
  /** Creates a process of another program that nobody talks to: it has no standard input, and what it prints is output. */
  spawnDaemon(command: readonly string[], options: SpawnCommandOptions): Promise<SpawnedProcess>;
  /** Whether a connection to `endpoint`, or a GET of it, is accepted within `ms`: of a GET with a status below 400. */
  answers(endpoint: Endpoint, ms: number): Promise<boolean>;
  /** In a new process: its side of the channel that `spawnProgram` created. */
  parentChannel(address: string): Promise<Channel>;

  /** Serves a unix socket at `path`, in a folder that exists; the socket is never open to other users. */
  listen(path: string, accept: (channel: Channel) => void): Promise<Listener>;
  connect(path: string): Promise<Channel>;
  files(): Promise<PrivateFiles>;
  /** Null where this system has none, or this process lacks the rights to use them. */
  sharedFiles(): Promise<SharedFiles | null>;

  memory(pid: number): Promise<MemoryUsage>;
  /** Milliseconds of its life in which a process could have run and had no processor; 0 where the system does not say. */
  waitedMs(pid: number): number;
  /** How many processors this process may use. */
  processors(): number;
  /** How many ended processes only this one can collect; null where the system does not say. */
  zombies(): number | null;
  /** A random number from 0 to 1. */
  random(): number;
  /** 32 hexadecimal digits that nobody can guess, others each time. */
  newId(): string;
  /** Bytes in use on the JavaScript heap of this process; null where that is unknown. */
  heapBytes(): number | null;
  /** How many descriptors this process has open; null where that is unknown. */
  openFiles(): Promise<number | null>;
  /** What is open in this process besides what brokkr and the runtime need, by kind; null where that is unknown. */
  openHandles?(): Promise<readonly OpenHandle[] | null>;
  /** Collects garbage. False where the runtime can't. */
  collectGarbage(): Promise<boolean>;

  /** Opens the inspector of this process on 127.0.0.1 at a free port, where it is not open; its URL. @throws where there is none. */
  openInspector(): Promise<string>;
  closeInspector(): Promise<void>;

  /** The name of the context that `withThread` runs in, if any. */
  thread(): string | undefined;
  /** Calls `fn` on each `signal`. Returns the function that stops it. */
  onSignal(signal: "SIGINT" | "SIGTERM" | "SIGHUP", fn: () => void): () => void;
  /** Whether the standard input or an output of this process is a terminal that has not been closed. */
  hasTerminal(): boolean;
  /** Sends this process `signal`, which ends it if nothing handles it. */
  raise(signal: "SIGINT" | "SIGTERM"): void;
  /** Writes whole lines to standard error: at once, or once a stalled reader reads again. They wait a second at most. */
  writeError(text: string): void;
  /** Sets the function to call when the reader is back and lines were lost. */
  whenErrorLost?(fn: (lines: number, reason: string) => void): void;
  exit(code: number): never;
  /** The program's own call to end this process throws `refusal(code)`, until the returned function is called; `exit` still ends it. */
  refuseExit(refusal: (code: unknown) => Error): () => void;
}

/**
 * The few parts of a runtime that a command needs which only asks a running broker. `asking.ts` of each folder implements it, which
 * loads nothing else: all of a runtime takes longer to load than the question to be answered.
 */
export interface Asking extends Pick<Runtime, "name" | "version" | "pid" | "connect" | "onSignal"> {
  readonly clock: Pick<Clock, "timer">;
  readonly files: PrivateFiles;
  /** The value of a variable of the environment. */
  variable(name: string): string | undefined;
  /** The terminal that one of its outputs is, null where it is none. */
  terminal(output: "stdout" | "stderr"): { readonly columns: number | undefined } | null;
  /** Writes a few bytes: all, or none where it throws. */
  write(bytes: Uint8Array, output: "stdout" | "stderr"): void;
  exit(code: number): never;
}
