import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BUN } from "../../scripts/command.ts";
import { installed, projectOf, result } from "./installed.ts";

const DEADLINE = { timeout: 5 * 60_000 };

const folder = await projectOf("bundlers", {
  "main.mjs": `import { Broker, defineModule } from "brokkr";
function fail() {
  const error = new TypeError("bang");
  throw error;
}
const failing = defineModule({
  name: "failing",
  commands: {
    async late() {
      await new Promise((resolve) => setTimeout(resolve, 1));
      fail();
    },
    at_once() {
      fail();
    },
  },
});
async function main() {
  const stacks = [];
  const broker = await Broker.start({ name: "bundled", modules: [failing], log: () => {} });
  broker.on("command.error", ({ fields }) => stacks.push(fields.stack));
  for (const command of ["late", "at_once"]) await broker.call(failing, command, [], { timeoutMs: 30_000 }).catch(() => {});
  await broker.stop();
  console.log(JSON.stringify(stacks));
}
void main();
`,
  "spawning.mjs": `import { Broker, CallTimeoutError, defineModule, RemoteError } from "brokkr";
const hello = defineModule({
  name: "hello",
  workers: { count: 1, commands: { square: (n) => n * n } },
  commands: (ctx) => ({
    greet: async (name) => \`Hello \${name}, \${await ctx.workers.call("square", [7])}\`,
    fail() {
      throw new RangeError("no");
    },
    slow: () => new Promise((resolve) => setTimeout(resolve, 500)),
  }),
});
async function main() {
  const broker = await Broker.start({ name: "bundled", modules: [hello], log: () => {} });
  const failure = (command, timeoutMs) => broker.call(hello, command, [], { timeoutMs, retry: "never" }).catch((error) => error);
  const [failed, slow] = [await failure("fail", 30_000), await failure("slow", 50)];
  console.log(await broker.call(hello, "greet", ["world"], { timeoutMs: 30_000 }), failed instanceof RemoteError, slow instanceof CallTimeoutError);
  console.log(failed.name, failed.remoteName, slow.name, slow.code);
  await broker.stop();
}
void main();
`,
  "rollup.config.mjs": `import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const from = createRequire(process.env.PACKAGES);
const { nodeResolve } = await import(pathToFileURL(from.resolve("@rollup/plugin-node-resolve")).href);
export default { input: "spawning.mjs", plugins: [nodeResolve({ preferBuiltins: true })] };
`,
  "modules.config.mjs": `export default {
  entry: "./spawning.mjs",
  mode: "none",
  target: "node",
  experiments: { outputModule: true },
  output: { path: import.meta.dirname + "/packed-esm", filename: "main.mjs", module: true, chunkFormat: "module" },
};
`,
});

for (
  const [format, flags] of [
    ["cjs", []],
    ["esm", []],
    // Names of functions are gone then.
    ["cjs", ["--minify-whitespace", "--minify-syntax"]],
  ] as const
) {
  test(
    `a program that esbuild has bundled (${[format, ...flags].join(" ")}) runs, and logs its own frames`,
    DEADLINE,
    async () => {
      const esbuild = await installed("esbuild@0.25.12", "esbuild");
      const file = `out.${format === "cjs" ? "cjs" : "mjs"}`;
      const target = ["--bundle", "--platform=node", "--packages=bundle", `--format=${format}`, `--outfile=${file}`];
      const built = await result([esbuild, "main.mjs", ...target, ...flags], folder);
      assert.equal(built.code, 0, built.output);
      const { code, stdout, output } = await result(["node", file], folder);
      assert.equal(code, 0, output);
      const stacks: string[][] = JSON.parse(stdout);
      const frame = (line: string) => /^ {2}File "(.*)", line \d+, in (.*)$/.exec(line)?.slice(1) ?? line;
      const path = join(await Deno.realPath(folder), file);
      assert.deepEqual(stacks.map((lines) => lines.map(frame)), [
        ["Traceback (most recent call last):", [path, "late"], [path, "fail"], "TypeError: bang"],
        ["Traceback (most recent call last):", [path, "at_once"], [path, "fail"], "TypeError: bang"],
      ]);
    },
  );
}

const ESBUILD = ["esbuild@0.25.12", "esbuild"] as const;
const ROLLUP = ["rollup@4.68.8 @rollup/plugin-node-resolve@16.0.3", "rollup"] as const;
const WEBPACK = ["webpack@5.113.0 webpack-cli@6.0.1", "webpack"] as const;
const BUNDLE = ["spawning.mjs", "--bundle", "--platform=node", "--packages=bundle"];
interface Bundling {
  /** Packages and the executable. @default `bun build` */
  readonly tool?: readonly [specifier: string, bin: string];
  readonly args: readonly string[];
  readonly file: string;
  readonly runtime?: string;
}
const PACK = ["--entry", "./spawning.mjs", "--target", "node"];

for (
  const { tool, args, file, runtime = "node" } of [
    { tool: ESBUILD, args: [...BUNDLE, "--format=cjs", "--minify", "--outfile=minified.cjs"], file: "minified.cjs" },
    { tool: ESBUILD, args: [...BUNDLE, "--format=esm", "--minify", "--outfile=minified.mjs"], file: "minified.mjs" },
    {
      tool: ESBUILD,
      args: [...BUNDLE, "--format=esm", "--splitting", "--outdir=split", "--out-extension:.js=.mjs"],
      file: "split/spawning.mjs",
    },
    { tool: ROLLUP, args: ["-c", "--format", "es", "--dir", "rolled"], file: "rolled/spawning.js" },
    {
      tool: ROLLUP,
      args: [
        "-c",
        "--format",
        "cjs",
        "--dir",
        "rolled-cjs",
        "--entryFileNames",
        "[name].cjs",
        "--chunkFileNames",
        "[name].cjs",
      ],
      file: "rolled-cjs/spawning.cjs",
    },
    // One file evaluates what is for the other runtimes, too.
    ...["node", BUN].map((runtime) => ({
      tool: ROLLUP,
      args: ["-c", "--format", "es", "--inlineDynamicImports", "--file", "rolled-one.mjs"],
      file: "rolled-one.mjs",
      runtime,
    })),
    {
      tool: WEBPACK,
      args: [...PACK, "--mode", "production", "--output-path", "packed", "--output-filename", "main.cjs"],
      file: "packed/main.cjs",
    },
    {
      tool: WEBPACK,
      args: ["--config", "modules.config.mjs"],
      file: "packed-esm/main.mjs",
    },
    { args: ["--target=node", "--outfile=bun-node.mjs"], file: "bun-node.mjs" },
    { args: ["--target=node", "--format=cjs", "--outfile=bun-node.cjs"], file: "bun-node.cjs" },
    { args: ["--target=bun", "--minify", "--outfile=bun-min.js"], file: "bun-min.js", runtime: BUN },
    { args: ["--target=bun", "--splitting", "--outdir=bun-split"], file: "bun-split/spawning.js", runtime: BUN },
  ] as readonly Bundling[]
) {
  test(
    `${tool?.[1] ?? "bun build"} makes ${file} without a warning, and its processes serve in ${
      runtime === BUN ? "Bun" : "Node"
    }`,
    DEADLINE,
    async () => {
      const bin = tool === undefined ? undefined : await installed(...tool);
      const command = bin === undefined ? [BUN, "build", "spawning.mjs", ...args] : [bin, ...args];
      const built = await result(command, folder, { PACKAGES: `${bin}` }, 4 * 60_000);
      assert.equal(built.code, 0, built.output);
      assert.doesNotMatch(built.output, /warn|critical|circular|unresolved/i);
      const { code, stdout, output } = await result([runtime, file], folder);
      assert.equal(code, 0, output);
      assert.equal(stdout, "Hello world, 49 true true\nRemoteError RangeError CallTimeoutError TIMEOUT\n");
    },
  );
}
