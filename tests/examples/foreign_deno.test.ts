import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { ROOT, run, runtimeName, temporaryFolder } from "./command.ts";

/** What every process of a program needs, and what only those that start processes do. */
const EVERY = ["--allow-env", "--allow-net"];
const STARTS = [
  `--allow-read=${tmpdir()}`,
  `--allow-write=${tmpdir()}`,
  `--allow-run=/bin/sh,${process.execPath}`,
];
const STARTS_IN_FULL = ["--allow-read", "--allow-write", "--allow-run"];

// Only Deno has permissions; how the others take the library is the package's affair.
if (runtimeName === "deno") {
  test("a foreign Deno project runs two modules of mod.ts with rights by name", async () => {
    const { code, stdout, stderr } = await runProject({ workers: 0, rights: [...EVERY, ...STARTS] });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { sum: 3, asked: "a says hello", seen: [1, 0], workers: [] });
  });

  test("a foreign Deno project runs workers with rights in full, without -A", async () => {
    const { code, stdout, stderr } = await runProject({ workers: 2, rights: [...EVERY, ...STARTS_IN_FULL] });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { sum: 3, asked: "a says hello", seen: [1, 0], workers: ["ready", "ready"] });
  });

  for (const right of [...EVERY, ...STARTS]) {
    test(`a foreign Deno project without ${right.split("=")[0]} is told which right is missing`, async () => {
      const rights = [...EVERY, ...STARTS].filter((other) => other !== right);
      const { code, stderr } = await runProject({ workers: 0, rights });
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`${right.split("=")[0]}\\b`));
    });
  }
} else {
  test(
    "a Deno project is none of this runtime's",
    { skip: "rights by name are Deno's; its suite runs this file" },
    () => {},
  );
}

async function runProject({ workers, rights }: { workers: number; rights: readonly string[] }) {
  await using folder = await temporaryFolder();
  const imports = { brokkr: pathToFileURL(join(ROOT, "mod.ts")).href };
  await writeFile(join(folder.path, "deno.json"), JSON.stringify({ imports }));
  await writeFile(join(folder.path, "main.ts"), program(workers));
  // Types are checked once: the library's alone take a second.
  const check = workers > 0 ? ["--check"] : [];
  const command = [process.execPath, "run", "--no-prompt", ...check, ...rights, "main.ts"];
  return await run(command, { cwd: folder.path, env: { BROKKR_LOG: "warning" } });
}

function program(workers: number): string {
  return `
import { Broker, defineModule } from "brokkr";

const seen = new Set(["data of a"]);
const a = defineModule({
  name: "a",
  owns: [seen],
  commands: { add: (x: number, y: number) => x + y, hello: () => "a says hello", seen: () => seen.size },
});
const b = defineModule({
  name: "b",
  workers: { count: ${workers}, commands: {} },
  commands: (ctx) => ({
    ask: (): Promise<string> => ctx.call(a, "hello"),
    seen: () => seen.size,
  }),
});

await using broker = await Broker.start({ name: "foreign", modules: [a, b] });
const { modules } = await broker.status();
console.log(JSON.stringify({
  sum: await broker.call(a, "add", [1, 2]),
  asked: await broker.call(b, "ask"),
  seen: await Promise.all([broker.call(a, "seen"), broker.call(b, "seen")]),
  workers: modules.flatMap((module) => module.workers.map(({ state }) => state)),
}));
`;
}
