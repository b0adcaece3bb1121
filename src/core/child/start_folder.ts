import type { Runtime } from "../../runtime/runtime.ts";
import type { EventFields } from "../log/record.ts";

export interface StartFolderOptions {
  /** Where a process starts instead of a folder that is gone, the best first. */
  readonly instead: () => readonly (string | null)[];
  /** Called once. */
  readonly gone: (fields: EventFields["process.folder-gone"]) => void;
}

/** Where new processes start: where this one was started. That folder may be removed while it runs, as that of an old release is. */
export class StartFolder {
  readonly #runtime: Pick<Runtime, "startedIn" | "fromStart" | "isFolder">;
  readonly #options: StartFolderOptions;
  #isTold = false;

  constructor(runtime: Pick<Runtime, "startedIn" | "fromStart" | "isFolder">, options: StartFolderOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /** For a process whose settings say `cwd`, or nothing. */
  of(process: string, cwd?: string): () => string {
    return () => cwd === undefined ? this.#own(process) : this.#runtime.fromStart(cwd);
  }

  #own(process: string): string {
    const { startedIn } = this.#runtime;
    if (startedIn !== null && this.#runtime.isFolder(startedIn)) return startedIn;
    const folders = this.#options.instead();
    const instead = folders.find((folder) => folder !== null && this.#runtime.isFolder(folder)) ?? "/";
    if (!this.#isTold) this.#options.gone({ process, folder: startedIn ?? "unknown", instead });
    this.#isTold = true;
    return instead;
  }
}
