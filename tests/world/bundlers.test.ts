import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
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
  for (const command of ["late", "at_once"]) await broker.call(failing, command).catch(() => {});
  await broker.stop();
  console.log(JSON.stringify(stacks));
}
void main();
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
