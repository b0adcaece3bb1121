// At once: the clock takes what was there when the library was loaded.
import "./posix/clock.ts";
import { isOlder, OLDEST } from "./oldest.ts";
import type { Runtime } from "./runtime.ts";

declare const Deno: { readonly version: { readonly deno: string }; exit(code: number): never };
declare const Bun: { readonly version: string };
declare const process: { readonly versions: { readonly node: string }; exit(code: number): never };

interface Row {
  readonly name: string;
  readonly oldest: string;
  /** The version of the runtime that this process runs on; undefined where it is another one. */
  version(): string | undefined;
  load(): Promise<Runtime>;
}

/** Every runtime that brokkr knows. Bun and Deno have the globals of Node too, so Node comes last. */
export const RUNTIMES = {
  deno: {
    name: "Deno",
    oldest: OLDEST.Deno,
    version: () => "Deno" in globalThis ? Deno.version.deno : undefined,
    load: async () => (await import("./deno/index.ts")).denoRuntime(),
  },
  bun: {
    name: "Bun",
    oldest: OLDEST.Bun,
    version: () => "Bun" in globalThis ? Bun.version : undefined,
    load: async () => (await import("./bun/index.ts")).bunRuntime(),
  },
  node: {
    name: "Node",
    oldest: OLDEST.Node,
    version: () => "process" in globalThis ? process.versions.node : undefined,
    load: async () => (await import("./node/index.ts")).nodeRuntime(),
  },
} satisfies Record<string, Row>;

/** The adapter of the runtime that this process runs on. The others are never loaded. Ends a process whose runtime is too old. */
export async function detectRuntime(): Promise<Runtime> {
  for (const row of Object.values<Row>(RUNTIMES)) {
    const version = row.version();
    if (version === undefined) continue;
    const wrong = tooOld(row, version);
    // An older one would fail in ways that do not say why, and show an error that is thrown here with a stack, if at all.
    if (wrong !== null) end(wrong);
    return await row.load();
  }
  throw new Error("Cannot run brokkr in this runtime: it needs Deno, Node or Bun");
}

/** What is wrong with `version` of a runtime; null where it is new enough. */
export function tooOld({ name, oldest }: Pick<Row, "name" | "oldest">, version: string): string | null {
  return isOlder(version, oldest) ? `brokkr needs ${name} ${oldest} or newer, this is ${version}` : null;
}

function end(text: string): never {
  console.error(text);
  if ("Deno" in globalThis) Deno.exit(2);
  process.exit(2);
}
