// Brokers in the test runners of the registry: what is refused there, and what the guide's recipes do.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { buildNpm } from "../../scripts/build_npm.ts";
import { follow, stepsOf } from "../examples/guide.ts";
import { installed, result } from "./installed.ts";

const DEADLINE = { timeout: 5 * 60_000 };
const PAGE = "docs/testing.md";

const VERSIONS = {
  "vitest": "4.1.12",
  "jest": "30.5.2",
  "mocha": "12.0.3",
  "ava": "7.0.0",
  "jasmine": "7.0.0",
  "@playwright/test": "1.65.1",
};

const withPackage = new Map<string, Promise<string>>();

/** The folder of one runner, with the package of brokkr beside it. */
function folderOf(runner: keyof typeof VERSIONS): Promise<string> {
  const made = withPackage.get(runner) ?? (async () => {
    const folder = join(await installed(`${runner}@${VERSIONS[runner]}`, "none"), "../../..");
    const messages = await buildNpm(join(folder, "node_modules/brokkr"));
    if (messages !== "") throw new Error(`Cannot build the npm package: ${messages}`);
    return folder;
  })();
  withPackage.set(runner, made);
  return made;
}

/** A folder with `files` within that of a runner. */
async function projectWith(
  runner: keyof typeof VERSIONS,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<{ folder: string; programs: string }> {
  const packages = await folderOf(runner);
  const folder = join(packages, name);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder);
  const all = { "package.json": '{ "private": true, "type": "module" }\n', ...files };
  for (const [file, text] of Object.entries(all)) await Deno.writeTextFile(join(folder, file), text);
  return { folder, programs: join(packages, "node_modules/.bin") };
}

const SAID = `import { Broker, defineModule } from "brokkr";
import { startBroker } from "brokkr/testing";

const hello = defineModule({ name: "hello", commands: { greet: (name) => "hello " + name } });

export async function said() {
  let lines = 0;
  const refused = await Broker.start({ name: "b", modules: [hello], log: () => lines++ }).then(
    () => "nothing",
    (error) => error.message,
  );
  const broker = await startBroker({ modules: [hello] });
  const greeting = await broker.call(hello, "greet", ["world"]);
  await broker.stop();
  return "said " + JSON.stringify({ refused, lines, greeting });
}
`;

const GLOBAL = `import { said } from "./said.mjs";\ntest("it", async () => console.log(await said()));\n`;

const RUNNERS: readonly {
  readonly runner: keyof typeof VERSIONS;
  readonly how?: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly test?: string;
}[] = [
  ...["forks", "threads", "vmForks", "vmThreads"].map((pool) => ({
    runner: "vitest" as const,
    how: pool,
    command: ["vitest", "run", "--globals", `--pool=${pool}`],
  })),
  { runner: "jest", command: ["jest"], env: { NODE_OPTIONS: "--experimental-vm-modules" } },
  { runner: "mocha", command: ["mocha", "it.test.js"], test: GLOBAL.replace("test(", "it(") },
  {
    runner: "mocha",
    how: "parallel",
    command: ["mocha", "--parallel", "it.test.js"],
    test: GLOBAL.replace("test(", "it("),
  },
  {
    runner: "ava",
    command: ["ava", "it.test.js"],
    test: `import test from "ava";\n${GLOBAL.replace("() =>", "(t) => (t.pass(),").replace("said()))", "said())))")}`,
  },
  { runner: "jasmine", command: ["jasmine", "it.test.js"], test: GLOBAL.replace("test(", "it(") },
  {
    runner: "@playwright/test",
    command: ["playwright", "test"],
    test: `import { test } from "@playwright/test";\n${GLOBAL}`,
  },
];

for (const { runner, how, command, env = {}, test: text = GLOBAL } of RUNNERS) {
  const name = `${command[0]}${how === undefined ? "" : ` (${how})`}`;
  test(`${name}: a broker is refused before anything is spawned, and starts in the process`, DEADLINE, async () => {
    const { folder, programs } = await projectWith(runner, `said-${how ?? "it"}`, {
      "said.mjs": SAID,
      "it.test.js": text,
    });
    const [bin = "", ...args] = command;
    const { output } = await result([join(programs, bin), ...args], folder, env);
    const [, said = "{}"] = /said (\{.*\})/.exec(output) ?? [];
    assert.deepEqual(JSON.parse(said), {
      refused:
        `Cannot start broker "b": it runs in ${bin}, which a new process would run again, set "program" to a file ` +
        'that only starts the broker, or "inProcess" to true to run the modules in this process',
      lines: 0,
      greeting: "hello world",
    }, output);
  });
}

for (const runner of ["vitest", "jest"] as const) {
  test(`${PAGE}, ${runner}: the recipe's tests pass`, DEADLINE, async () => {
    const { folder, programs } = await projectWith(runner, "recipe", {});
    const steps = [...await stepsOf(PAGE, "The modules"), ...await stepsOf(PAGE, runner)]
      .filter((step) => step.kind !== "file" || step.name !== "deno.json");
    // It is installed already, at a version that is known.
    const replace = { [`npm install --save-dev ${runner}\n`]: "", [`npx ${runner}`]: `"${join(programs, runner)}"` };
    // Without a test that passes it ends with another code than 0.
    await follow(steps, { folder, env: Deno.env.toObject(), replace });
  });
}
