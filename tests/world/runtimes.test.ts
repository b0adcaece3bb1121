import assert from "node:assert/strict";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/command.ts";
import { installed, projectOf, result } from "./installed.ts";

const DEADLINE = { timeout: 5 * 60_000 };

const folder = await projectOf("runtimes", {
  "main.mjs": `import { Broker, defineModule } from "brokkr";
const hello = defineModule({
  name: "hello",
  workers: { count: 1, commands: { square: (n) => n * n } },
  commands: (ctx) => ({ greet: async (name) => \`Hello \${name}, \${await ctx.workers.call("square", [7])}\` }),
});
const broker = await Broker.start({ name: "b", modules: [hello] });
console.log(await broker.call("hello", "greet", ["world"], { timeoutMs: 30_000 }));
await broker.stop();
`,
  "compiled.mjs": `import { Broker, defineModule } from "brokkr";
const cache = () => process.env.NODE_COMPILE_CACHE ?? null;
const module = defineModule({
  name: "m",
  workers: { count: 1, commands: { cache } },
  commands: (ctx) => ({ caches: async () => [cache(), await ctx.workers.call("cache")] }),
});
const broker = await Broker.start({ name: "b", modules: [module] });
console.log(JSON.stringify(await broker.call("m", "caches")));
await broker.stop();
`,
});

// Deno before 2.1 reads no lock file of today.
const RUN = { deno: ["run", "-A", "--no-lock"], node: [], bun: [] } as const;

for (
  const [name, version, needed] of [
    ["deno", "2.0.6", "Deno 2.7"],
    ["deno", "2.6.8", "Deno 2.7"],
    ["node", "18.20.8", "Node 20.19"],
    ["node", "20.18.3", "Node 20.19"],
    ["bun", "1.2.23", "Bun 1.4.1"],
    ["bun", "1.3.14", "Bun 1.4.1"],
    ["bun", "1.4.0", "Bun 1.4.1"],
  ] as const
) {
  test(
    `${name} ${version} is too old: one line and exit code 2, from Broker.start and the command line`,
    DEADLINE,
    async () => {
      const runtime = await installed(`${name}@${version}`, name);
      const cli = name === "deno" ? join(ROOT, "cli.ts") : join(folder, "node_modules/brokkr/cli.js");
      for (const args of [["main.mjs"], [cli, "--version"]]) {
        const { code, output } = await result([runtime, ...RUN[name], ...args], folder);
        const own = output.split("\n").filter((line) => line.startsWith("brokkr") || line.startsWith("["));
        assert.deepEqual([own, code], [[`brokkr needs ${needed} or newer, this is ${version}`], 2], output);
      }
    },
  );
}

for (const [name, version] of [["deno", "2.7.1"], ["node", "20.19.0"], ["bun", "1.4.1"]] as const) {
  test(`${name} ${version} is new enough: modules and workers serve, and drain when asked`, DEADLINE, async () => {
    const runtime = await installed(`${name}@${version}`, name);
    const { code, stdout, output } = await result([runtime, ...RUN[name], "main.mjs"], folder);
    assert.deepEqual([stdout, code], ["Hello world, 49\n", 0], output);
    assert.doesNotMatch(output, /WARNING|ERROR|FATAL/);
    assert.match(output, /hello ended as asked/);
  });
}

test(
  "node 24 keeps the compiled code of modules' processes for the next ones, where only the user enters",
  DEADLINE,
  async () => {
    const runtime = await installed("node@24.21.0", "node");
    const own = join(folder, "runtime");
    await mkdir(own, { recursive: true, mode: 0o700 });
    const { stdout, output } = await result([runtime, "compiled.mjs"], folder, { XDG_RUNTIME_DIR: own });
    // A module's own programs do not get the variable.
    assert.equal(stdout, "[null,null]\n", output);
    const kept = join(own, "brokkr-compiled");
    assert.equal((await stat(kept)).mode & 0o777, 0o700);
    const [version = ""] = await readdir(kept);
    assert.ok((await readdir(join(kept, version))).length > 3, "the library and the program are kept");
  },
);
