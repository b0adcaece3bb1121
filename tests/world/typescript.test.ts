// TypeScript with the tools of the registry: loaders in a Node that strips no types, and the compiler's ways to find a package's types.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { buildNpm } from "../../scripts/build_npm.ts";
import { installed, result } from "./installed.ts";

const DEADLINE = { timeout: 5 * 60_000 };

const programs = join(
  await installed("tsx@4.23.15 ts-node@10.9.2 typescript@5.9.3 @types/node@20.19.43", "none"),
  "..",
);
const messages = await buildNpm(join(programs, "../brokkr"));
if (messages !== "") throw new Error(`Cannot build the npm package: ${messages}`);
const folder = join(programs, "../../project");
await Deno.remove(folder, { recursive: true }).catch(() => {});
await Deno.mkdir(folder);

const PROGRAM = `import { Broker, defineModule } from "brokkr";
const hello = defineModule({ name: "hello", commands: { greet: (name: string): string => \`Hello \${name}\` } });
export async function main(): Promise<void> {
  const broker = await Broker.start({ name: "b", modules: [hello], log: () => {} });
  console.log(await broker.call(hello, "greet", ["world"]));
  await broker.stop();
}
void main();
`;
const FILES = {
  "package.json": '{ "private": true, "type": "module" }\n',
  "main.ts": PROGRAM,
  "hello.ts": 'export default { name: "hello", commands: { greet: (name: string): string => `Hello ${name}` } };\n',
  "brokkr.json": '{ "name": "first", "modules": { "hello": { "path": "./hello.ts" } } }\n',
};
for (const [file, text] of Object.entries(FILES)) await Deno.writeTextFile(join(folder, file), text);

/** The last one of the runtimes that brokkr supports that strips no types. */
const NODE = await installed("node@20.19.0", "node");
const CLI = [NODE, join(programs, "../brokkr/cli.js")];
const TSX = { NODE_OPTIONS: "--import tsx" };

test("tsx runs a broker and its modules, as a command and as a loader", DEADLINE, async () => {
  for (const command of [[join(programs, "tsx"), "main.ts"], [NODE, "--import", "tsx", "main.ts"]]) {
    const { stdout, output } = await result(command, folder, { PATH: `${join(NODE, "..")}:${Deno.env.get("PATH")}` });
    assert.equal(stdout, "Hello world\n", output);
  }
});

test("brokkr check and init --ts see the loader of tsx, and say what to load without one", DEADLINE, async () => {
  const without = await result([...CLI, "check"], folder);
  assert.equal(without.code, 2, without.output);
  assert.match(
    without.output,
    /Node 20\.19\.0 cannot load TypeScript, compile it to JavaScript or run brokkr with tsx \(NODE_OPTIONS="--import tsx"\), Deno or Bun/,
  );
  for (const [flags, env] of [[[], TSX], [["--import", "tsx"], {}]] as const) {
    const [node = "", cli = ""] = CLI;
    const { code, output } = await result([node, ...flags, cli, "check"], folder, env);
    assert.equal(code, 0, output);
  }
  const made = await result([...CLI, "init", "--ts", "made"], folder, TSX);
  assert.equal(made.code, 0, made.output);
  assert.ok((await Deno.stat(join(folder, "made/hello.mts"))).isFile);
});

test("brokkr run serves a TypeScript module with the loader of tsx", DEADLINE, async () => {
  const runtimeFolder = await Deno.makeTempDir({ prefix: "brokkr-ts-" });
  const env = { ...TSX, XDG_RUNTIME_DIR: runtimeFolder };
  const [node = "", ...args] = [...CLI, "run"];
  const broker = new Deno.Command(node, { args, cwd: folder, env, stdout: "null", stderr: "null" }).spawn();
  try {
    const until = performance.now() + 60_000;
    const called = () =>
      result([...CLI, "call", "hello", "greet", "world"], folder, { XDG_RUNTIME_DIR: runtimeFolder });
    let answer = await called();
    while (answer.code !== 0 && performance.now() < until) answer = await called();
    assert.equal(answer.stdout, "Hello world\n", answer.output);
  } finally {
    broker.kill("SIGTERM");
    await broker.status;
    await Deno.remove(runtimeFolder, { recursive: true });
  }
});

test("ts-node gets one line that names tsx", DEADLINE, async () => {
  const { code, output } = await result([...CLI, "check"], folder, { NODE_OPTIONS: "--loader ts-node/esm" });
  assert.equal(code, 2, output);
  assert.match(
    output,
    /cannot load TypeScript, and ts-node not in every process: use tsx, with NODE_OPTIONS="--import tsx"/,
  );
});

const USER = `import { Broker, type CallOptions, defineModule } from "brokkr";
import { type NatsOptions } from "brokkr/nats";
import { startBroker } from "brokkr/testing";
const hello = defineModule({ name: "hello", commands: { greet: (name: string): string => name } });
export async function used(options: CallOptions): Promise<string> {
  const broker: Broker = await startBroker({ modules: [hello] });
  // @ts-expect-error: the types are there, and this is none of the parameter.
  await broker.call(hello, "greet", [7], options);
  return await broker.call(hello, "greet", ["world"], options);
}
export type Nats = NatsOptions;
`;

for (
  const [resolution, module] of [
    ["node10", "commonjs"],
    ["node16", "node16"],
    ["nodenext", "nodenext"],
    ["bundler", "esnext"],
  ] as const
) {
  test(`tsc finds the types of brokkr with moduleResolution ${resolution}`, DEADLINE, async () => {
    await Deno.writeTextFile(join(folder, "user.ts"), USER);
    const flags = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
    const how = ["--module", module, "--moduleResolution", resolution];
    const { code, output } = await result([join(programs, "tsc"), ...flags, ...how, "user.ts"], folder, {}, 120_000);
    assert.equal(code, 0, output);
  });
}
