interface Storage {
  run<T>(name: string, fn: () => T): T;
  getStore(): string | undefined;
}

let storage: Storage | undefined;

/**
 * Calls `fn` and returns what it returns; log lines of the calls that it makes, across `await` too, carry `name`.
 *
 * @default the name is `MainThread` outside of it
 * @example
 * ```ts
 * import { withThread } from "brokkr";
 *
 * const answer = await withThread("CP Server Thread-46", async () => await Promise.resolve("answered"));
 * if (answer !== "answered") throw new Error(answer);
 * ```
 */
export function withThread<T>(name: string, fn: () => T): T {
  storage ??= newStorage();
  return storage.run(name, fn);
}

/** The name that the innermost {@link withThread} around the caller gave. */
export function currentThread(): string | undefined {
  return storage?.getStore();
}

// Asked for at the first use: the import costs a Deno process 6 ms of start, and a program without threads none of it.
function newStorage(): Storage {
  const hooks = globalThis.process?.getBuiltinModule?.("node:async_hooks");
  if (hooks === undefined) {
    throw new Error(
      'Cannot name a thread: the module "node:async_hooks" is missing, use Node 20.16, Deno 2 or Bun 1.2 or newer',
    );
  }
  return new hooks.AsyncLocalStorage<string>();
}
