import type { SharedFile, SharedFiles } from "../runtime.ts";

/** Where Linux has a file system in memory that every user may write to. */
export const SHARED_FOLDER = "/dev/shm";

const NAME = /^brokkr-(\d+)-/;

export interface OpenFile {
  /** Returns how many bytes were written. */
  write(bytes: Uint8Array, at: number): number;
  /** New memory to read into; what is in it does not matter. */
  memory(length: number): Uint8Array;
  /** Returns how many bytes were read, 0 at the end of the file. */
  read(into: Uint8Array, at: number): number;
  truncate(): void;
  close(): void;
}

export interface SharedFileAccess {
  readonly pid: number;
  make(path: string): OpenFile;
  open(path: string): OpenFile;
  remove(path: string): void;
  list(folder: string): string[];
  isRunning(pid: number): boolean;
}

export function newSharedFiles(access: SharedFileAccess): SharedFiles {
  let isSwept = false;
  let count = 0;
  const shared = (path: string, file: OpenFile) => new Shared(path, file, access.remove);
  return {
    make() {
      if (!isSwept) sweep(access);
      isSwept = true;
      const path = `${SHARED_FOLDER}/brokkr-${access.pid}-${++count}-${chance()}`;
      return shared(path, access.make(path));
    },
    open: (path) => shared(path, access.open(path)),
  };
}

class Shared implements SharedFile {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #remove: (path: string) => void;
  #isNamed = true;

  constructor(path: string, file: OpenFile, remove: (path: string) => void) {
    this.path = path;
    this.#file = file;
    this.#remove = remove;
  }

  write(bytes: Uint8Array, at: number): void {
    let done = this.#file.write(bytes, at);
    while (done < bytes.length) done += this.#file.write(bytes.subarray(done), at + done);
  }

  read(at: number, length: number): Uint8Array {
    const bytes = this.#file.memory(length);
    for (let done = 0; done < length;) {
      const count = this.#file.read(done === 0 ? bytes : bytes.subarray(done), at + done);
      if (count === 0) throw new Error(`the shared memory ends at ${at + done} bytes and should have ${at + length}`);
      done += count;
    }
    return bytes;
  }

  empty(): void {
    this.#file.truncate();
  }

  unname(): void {
    if (this.#isNamed) this.#remove(this.path);
    this.#isNamed = false;
  }

  close(): void {
    this.#file.close();
  }
}

/** A process that was killed before its file was opened leaves the name of an empty file. */
function sweep({ list, isRunning, remove }: SharedFileAccess): void {
  for (const name of list(SHARED_FOLDER)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) remove(`${SHARED_FOLDER}/${name}`);
  }
}

/** The name need not be secret, as only this user can open the file, but nobody must be able to take it first. */
function chance(): string {
  return crypto.randomUUID();
}
