/**
 * The part of Bun's namespace that brokkr uses. A file that needs it says `declare const Bun: BunNamespace;`, so that it
 * compiles without Bun's own types.
 */
export interface BunNamespace {
  readonly version: string;
  readonly main: string;
  /** Path of what `specifier` names in a file of the folder `from`. */
  resolveSync(specifier: string, from: string): string;
  spawn(command: string[], options: BunSpawnOptions): BunChild;
  connect(options: ({ fd: number } | { unix: string }) & { socket: BunSocketHandlers }): Promise<BunSocket>;
  readonly stdout: object;
  write(file: object, text: string): Promise<number>;
  gc(force: boolean): void;
  /** The test runner's functions for the file `path`. */
  jest(path: string): { test(): void };
  file(path: string): { text(): Promise<string> };
  readonly Glob: new (pattern: string) => {
    scanSync(options: { cwd: string; onlyFiles: boolean; followSymlinks: boolean }): Iterable<string>;
  };
}

/** The part of `bun:jsc` that brokkr uses. */
export interface BunEngine {
  heapStats(): { readonly protectedObjectTypeCounts: Readonly<Record<string, number>> };
}

export type BunStdio = "ignore" | "pipe";

export interface BunSpawnOptions {
  readonly stdio: readonly BunStdio[];
  readonly env: Readonly<Record<string, string>>;
  readonly detached: boolean;
  readonly cwd?: string;
  onExit(child: BunChild, code: number | null, signal: number | null, error?: Error): void;
}

export interface BunChild {
  readonly pid: number;
  readonly signalCode: string | null;
  /** What was not "pipe" is null; above 2 it is this process' descriptor. */
  readonly stdio: readonly unknown[];
  readonly stdin: unknown;
  readonly stdout: unknown;
  readonly stderr: unknown;
}

/** Standard input of a process. */
export interface BunFileSink {
  write(bytes: Uint8Array): number | Promise<number>;
  /** Settles when the bytes are written; rejects when the other end is closed. */
  flush(): number | Promise<number>;
  end(error?: Error): unknown;
}

export interface BunSocketHandlers {
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
}

export interface BunSocket {
  /** How many of the bytes were taken; negative where the other side is gone. */
  write(bytes: Uint8Array): number;
  end(): void;
  shutdown(): void;
  terminate(): void;
}
