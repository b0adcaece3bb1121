#!/usr/bin/env -S deno run -A
import { VERSION } from "./src/core/version.ts";
import type { BunNamespace } from "./src/runtime/bun/namespace.ts";
import type { DenoNamespace } from "./src/runtime/deno/namespace.ts";
import { isOlder, OLDEST } from "./src/runtime/oldest.ts";

declare const Bun: BunNamespace;
declare const Deno: DenoNamespace;

const words = "Deno" in globalThis ? Deno.args : globalThis.process.argv.slice(2);
// The version before anything else is loaded, which takes longer than the start of the runtime. Where it can't be written, or the
// runtime is too old, the command line says so.
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V") && isNewEnough()) {
  void print(`${VERSION}\n`).catch(main);
} else void main();

async function main(): Promise<void> {
  const { main } = await import("./src/cli/main.ts");
  await main();
}

function isNewEnough(): boolean {
  if ("Deno" in globalThis) return !isOlder(Deno.version.deno, OLDEST.Deno);
  if ("Bun" in globalThis) return !isOlder(Bun.version, OLDEST.Bun);
  return !isOlder(globalThis.process.versions.node ?? "", OLDEST.Node);
}

/** By what each runtime has at hand: `node:fs` takes Bun half as long as its start. */
async function print(text: string): Promise<void> {
  if ("Deno" in globalThis) Deno.stdout.writeSync(new TextEncoder().encode(text));
  else if ("Bun" in globalThis) await Bun.write(Bun.stdout, text);
  else globalThis.process.getBuiltinModule("node:fs").writeSync(1, text);
}
