/**
 * The part of Deno's namespace that brokkr uses, and whether it may. A file that needs it says `declare const Deno: DenoNamespace;`,
 * so that it compiles with and without Deno's own types.
 */
export interface DenoNamespace {
  readonly args: string[];
  readonly pid: number;
  /** Undefined in a worker. */
  readonly mainModule: string | undefined;
  readonly internal: symbol;
  readonly build: { readonly os: string; readonly standalone: boolean };
  readonly version: { readonly deno: string };
  readonly env: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
    delete(name: string): void;
    toObject(): Record<string, string>;
  };
  readonly test?: { readonly length: number };
  readonly stdin: { isTerminal(): boolean };
  readonly stdout: { writeSync(bytes: Uint8Array): number; isTerminal(): boolean };
  readonly stderr: { writeSync(bytes: Uint8Array): number; isTerminal(): boolean };
  readonly permissions: { querySync(descriptor: DenoPermissionDescriptor): { state: string } };
  readonly Command: new (command: string, options: DenoCommandOptions) => { spawn(): DenoChild };

  /** May be replaced. */
  exit: (code: number) => never;
  consoleSize(): { columns: number };
  cwd(): string;
  chdir(path: string): void;
  execPath(): string;
  kill(pid: number, signal: string | 0): void;
  memoryUsage(): { rss: number; heapUsed: number };
  umask(mask: number): number;
  addSignalListener(signal: string, fn: () => void): void;
  removeSignalListener(signal: string, fn: () => void): void;

  linkSync(from: string, to: string): void;
  mkdirSync(path: string, options: { mode: number }): void;
  readDirSync(path: string): Iterable<{ readonly name: string }>;
  lstatSync(path: string): { isDirectory: boolean; uid: number | null; mode: number | null };
  uid(): number | null;
  readLinkSync(path: string): string;
  readTextFile(path: string): Promise<string>;
  readTextFileSync(path: string): string;
  makeTempDirSync(options: { dir?: string; prefix: string }): string;
  openSync(path: string, options: DenoOpenOptions): DenoFile;
  removeSync(path: string, options?: { recursive: boolean }): void;
  symlinkSync(from: string, to: string): void;
  statSync(path: string): { isDirectory: boolean; mode: number | null };

  listen(options: { transport: "unix"; path: string }): DenoListener;
  connect(options: { transport: "unix"; path: string }): Promise<DenoConn>;
  connect(options: { transport: "tcp"; hostname: string; port: number }): Promise<DenoConn>;
}

export interface DenoOpenOptions {
  readonly read: boolean;
  readonly write: boolean;
  readonly createNew?: boolean;
  readonly mode?: number;
}

export interface DenoFile {
  seekSync(offset: number, from: 0): number;
  readSync(into: Uint8Array): number | null;
  writeSync(bytes: Uint8Array): number;
  truncateSync(): void;
  close(): void;
}

export interface DenoPermissionDescriptor {
  readonly name: DenoPermission;
  readonly host?: string;
  readonly path?: string;
  readonly variable?: string;
  readonly command?: string;
  readonly kind?: string;
}

export type DenoPermission = "run" | "read" | "write" | "net" | "env" | "sys" | "ffi" | "import";

export interface DenoConn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

export interface DenoListener {
  accept(): Promise<DenoConn>;
  close(): void;
}

export interface DenoCommandOptions {
  readonly args: string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clearEnv: true;
  readonly detached: boolean;
  readonly stdin: "null" | "piped";
  readonly stdout: "null" | "piped";
  readonly stderr: "null" | "piped";
}

export interface DenoChild {
  readonly pid: number;
  readonly status: Promise<{ readonly code: number; readonly signal: string | null }>;
  /** Each of the three throws where it is not piped. */
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  kill(signal: string): void;
  /** Neither the process nor a read of its streams keeps this process alive any more. */
  unref(): void;
}

declare const Deno: DenoNamespace;

/** For what a process can do without: on a terminal, Deno would wait until somebody gives a right that it lacks. */
export function isGranted(right: DenoPermissionDescriptor): boolean {
  try {
    return Deno.permissions.querySync(right).state === "granted";
  } catch {
    // An older version that does not know the right needs none.
    return true;
  }
}

/** Signals a process that this one did not start, or a group. @throws {Error} where it may not, or there is none. */
export function kill(pid: number, signal: string | 0): void {
  if (!isGranted({ name: "run" })) throw new Error(`Cannot signal process ${pid}: this process may not`);
  Deno.kill(pid, signal);
}

/**
 * The file of this runtime. Linux adds to its path that it is deleted where another file has taken its place, by `deno upgrade` or a new
 * release of a binary: new processes run that one.
 */
export function executable(): string {
  return Deno.execPath().replace(/ \(deleted\)$/, "");
}

/** @throws {Error} where this process may not read `path` */
export function ifReadable<T>(path: string, read: (path: string) => T): T {
  if (!isGranted({ name: "read", path })) throw new Error(`Cannot read "${path}": this process may not`);
  return read(path);
}
