#!/usr/bin/env -S deno run -A
import { VERSION } from "./src/core/version.ts";
import type { QuickCommand } from "./src/cli/quick.ts";
import type { Asked } from "./src/core/control/question.ts";
import type { Asking } from "./src/runtime/runtime.ts";
import type { BunNamespace } from "./src/runtime/bun/namespace.ts";
import type { DenoNamespace } from "./src/runtime/deno/namespace.ts";
import { isOlder, OLDEST } from "./src/runtime/oldest.ts";

declare const Bun: BunNamespace;
declare const Deno: DenoNamespace;

const words = "Deno" in globalThis ? Deno.args : globalThis.process.argv.slice(2);
const [first] = words;
/** What only asks a running broker: src/cli/quick.ts does it with less code. */
const QUICK: Readonly<Record<QuickCommand, true>> = {
  status: true,
  call: true,
  describe: true,
  restart: true,
  reload: true,
  scale: true,
  stop: true,
};
// The version before anything else is loaded, which takes longer than the start of the runtime. Where it can't be written, or the
// runtime is too old, the command line says so.
if (!isNewEnough()) void rest();
else if (words.length === 1 && (first === "--version" || first === "-V")) {
  void print(`${VERSION}\n`).catch(() => rest());
} else if (first !== undefined && Object.hasOwn(QUICK, first)) void ask();
else void rest();

async function ask(): Promise<void> {
  const [{ quick }, { asking }] = await Promise.all([loadQuick(), loadAsking()]);
  await quick(asking, words, rest);
}

async function rest(asked?: Asked): Promise<void> {
  const { main } = await loadMain();
  await main(asked);
}

// None by its name alone: Deno would read all that a file leads to before the first line runs, which takes longer than that.

function loadMain(): Promise<typeof import("./src/cli/main.ts")> {
  return import("Deno" in globalThis ? "./src/cli/main.ts" : "./src/cli/main.ts");
}

function loadQuick(): Promise<typeof import("./src/cli/quick.ts")> {
  return import("Deno" in globalThis ? "./src/cli/quick.ts" : "./src/cli/quick.ts");
}

function loadAsking(): Promise<{ readonly asking: Asking }> {
  return import(
    "Deno" in globalThis
      ? "./src/runtime/deno/asking.ts"
      : "Bun" in globalThis
      ? "./src/runtime/bun/asking.ts"
      : "./src/runtime/node/asking.ts"
  );
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
