import type { SharedFile, SharedFiles } from "../../src/runtime/runtime.ts";

/** What two processes see of one file. */
interface Content {
  bytes: Uint8Array;
}

/** Files in memory that two sides of a test share, as two processes of one machine do. */
export class MemoryFiles implements SharedFiles {
  readonly #named = new Map<string, Content>();
  #made = 0;
  /** Descriptors that are open now. */
  descriptors = 0;
  /** Paths that were opened. */
  readonly opened: string[] = [];
  /** Bytes that a file may have. */
  room = Infinity;
  /** Why no file can be opened. */
  refusal: string | null = null;
  /** Bytes that were written. */
  written = 0;
  /** Bytes that the files have now, by the order in which they were made. */
  readonly contents: Content[] = [];

  get names(): string[] {
    return [...this.#named.keys()];
  }

  make(): SharedFile {
    const content = { bytes: new Uint8Array(0) };
    const path = `/memory/${++this.#made}`;
    this.#named.set(path, content);
    this.contents.push(content);
    return this.#file(path, content);
  }

  open(path: string): SharedFile {
    this.opened.push(path);
    const content = this.#named.get(path);
    if (this.refusal !== null || content === undefined) throw new Error(this.refusal ?? `no file ${path}`);
    return this.#file(path, content);
  }

  #file(path: string, content: Content): SharedFile {
    this.descriptors++;
    return {
      path,
      write: (bytes, at) => {
        const fits = bytes.subarray(0, Math.max(0, this.room - at));
        const larger = new Uint8Array(Math.max(content.bytes.length, at + fits.length));
        larger.set(content.bytes);
        larger.set(fits, at);
        content.bytes = larger;
        this.written += fits.length;
        if (fits.length < bytes.length) throw new Error("ENOSPC: no space left on device");
      },
      read: (at, length) => {
        if (at + length > content.bytes.length) throw new Error(`the shared memory ends at ${content.bytes.length}`);
        return content.bytes.slice(at, at + length);
      },
      empty: () => {
        content.bytes = new Uint8Array(0);
      },
      unname: () => {
        this.#named.delete(path);
      },
      close: () => {
        this.descriptors--;
      },
    };
  }
}
