import type { Channel, Listener, PrivateFiles, Runtime } from "../../../src/runtime/runtime.ts";
import { FakeRuntime } from "../fake_runtime.ts";

/** A folder of sockets that several processes share. A path whose value is null is a socket that nobody listens on. */
export class SocketFolder {
  readonly paths = new Map<string, FakeProcess | null>();

  /** A process that sees the folder; `step` decides when each of its system calls that take time is done. */
  process(pid: number, step: () => Promise<void> = () => Promise.resolve()): FakeProcess {
    return new FakeProcess(this, pid, step);
  }
}

export class FakeProcess extends FakeRuntime implements Runtime {
  override readonly pid: number;
  readonly #folder: SocketFolder;
  readonly #step: () => Promise<void>;
  override readonly files: Runtime["files"];

  constructor(folder: SocketFolder, pid: number, step: () => Promise<void>) {
    super();
    this.pid = pid;
    this.#folder = folder;
    this.#step = step;
    const { paths } = folder;
    const files: PrivateFiles = {
      folder: (name: string) => `/run/${name}`,
      list: (at: string) => [...paths.keys()].filter((path) => path.startsWith(`${at}/`)).map(nameOf),
      remove: (path: string) => void paths.delete(path),
    };
    this.files = () => Promise.resolve(files);
  }

  override random(): number {
    return Math.random();
  }

  override async listen(path: string): Promise<Listener> {
    await this.#step();
    const { paths } = this.#folder;
    if (paths.has(path)) throw withCode("EADDRINUSE");
    // Bound, and not yet listening.
    paths.set(path, null);
    await this.#step();
    // What was removed meanwhile stays removed.
    if (paths.has(path)) paths.set(path, this);
    return { close: () => void paths.delete(path) };
  }

  override async connect(path: string): Promise<Channel> {
    await this.#step();
    const listening = this.#folder.paths.get(path);
    if (listening === undefined) throw withCode("ENOENT");
    if (listening === null) throw withCode("ECONNREFUSED");
    return { unsentBytes: 0, write() {}, open() {}, close() {}, abort() {} };
  }

  /** The process is killed: its sockets are there, and nobody listens. */
  die(): void {
    for (const [path, owner] of this.#folder.paths) if (owner === this) this.#folder.paths.set(path, null);
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
