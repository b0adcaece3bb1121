/** The binary as someone gets it who has nothing else: alone in an empty folder, with no runtime on PATH and an empty home. */

import { join } from "node:path";
import { type CommandResult, run } from "../command.ts";
import { BINARY, compileWithBun } from "../compile_bun.ts";
import { sumText } from "../suite/report.ts";
import { CLEANED_JSON, MAIN_TS, RELEASED_BYTES, TEST_TS, USERS_MODULES, writeUsersFiles } from "./binary_files.ts";
import { Steps } from "./steps.ts";

const SYSTEM_PATH = ["/bin", "/usr/bin"];
const RUNTIMES = ["node", "deno", "bun"];

interface Check {
  readonly name: string;
  /** Gives what is wrong, empty when nothing is. */
  readonly wrong: (alone: Alone) => Promise<string>;
}

const CHECKS: readonly Check[] = [
  { name: "version", wrong: (alone) => alone.prints(["--version"], /^\d+\.\d+\.\d+\n$/) },
  { name: "demo", wrong: (alone) => alone.prints(["demo"], /process gone/) },
  {
    name: "init, check, its test",
    wrong: async (alone) =>
      await alone.prints(["init", "first"], /\n {2}cd first\n/) +
      await alone.prints(["check", "first/brokkr.json"], /1 module: hello \(first\/hello\.ts\)\n$/) +
      await alone.prints(["run", "first/hello.test.ts"], /^ok\n$/),
  },
  {
    name: "run, call, status, restart, stop",
    wrong: (alone) =>
      alone.while(
        ["run", "first/brokkr.json"],
        async () =>
          await alone.prints(["call", "hello", "greet", "world"], /^Hello world\n$/) +
          await alone.prints(["status"], /\nhello +ready /) +
          await alone.prints(["restart", "hello"], /^$/),
      ),
  },
  {
    name: "modules in .ts and .js with a package that has conditions and subpaths",
    wrong: (alone) =>
      alone.while(["run", "brokkr.json"], async () => {
        let wrong = "";
        for (const name of USERS_MODULES) {
          wrong += await alone.prints(["call", name, "units"], /^"?import main, import sub, function\n?/);
        }
        return wrong;
      }),
  },
  {
    name: "the cleanup gives memory back, and a stack has no frames of brokkr's",
    wrong: (alone) =>
      alone.while(["run", CLEANED_JSON], async () => {
        const { stdout } = await alone.run(["status", "--json"]);
        const kept = await alone.run(["call", "small", "fail", "--json"]);
        return memoryWrong(stdout) + stackWrong(kept.stdout);
      }),
  },
  {
    name: "a program whose Broker.start runs in it",
    wrong: (alone) => alone.prints(["run", MAIN_TS], /^Hello world\nanother process: true\n$/),
  },
  {
    name: "a unit test with all parts of the library",
    wrong: (alone) => alone.prints(["run", TEST_TS], /^HELLO function\n$/),
  },
  { name: "a role that it cannot serve ends at once", wrong: (alone) => refusesRoles(alone) },
  { name: "it leaves nothing in the home folder", wrong: (alone) => alone.homeIsEmpty() },
];

/** Tries the binary that was built last. */
export async function binary(steps: Steps): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "brokkr-binary-" }));
  try {
    const alone = new Alone(folder);
    await writeUsersFiles(folder);
    for (const { name, wrong } of CHECKS) await steps.step(`the binary alone: ${name}`, () => wrong(alone));
    await measure(alone);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function memoryWrong(status: string): string {
  const { modules }: {
    modules: { name: string; cleanup: { privateBytesBefore: number; privateBytesAfter: number } }[];
  } = JSON.parse(status);
  const { privateBytesBefore = 0, privateBytesAfter = 0 } = modules.find(({ name }) => name === "small")?.cleanup ?? {};
  const freed = privateBytesBefore - privateBytesAfter;
  return freed > RELEASED_BYTES
    ? ""
    : `The cleanup of module small gave ${freed} bytes back, of at least ${RELEASED_BYTES}\n`;
}

function stackWrong(answer: string): string {
  const { error }: { error: { remoteStack: string } } = JSON.parse(answer);
  const frames = error.remoteStack.split("\n").slice(1).map((line) => line.trim());
  const [own = "", ...others] = frames;
  const isRight = own.includes("small.mjs") && others.every((frame) => frame === "at brokkr (native)");
  return isRight ? "" : `The stack of a module that failed should have its own frame alone:\n${error.remoteStack}\n`;
}

/** A folder with the binary in it, and an environment that has nothing else. */
class Alone {
  readonly folder: string;
  readonly #binary: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(folder: string) {
    this.folder = folder;
    this.#binary = join(folder, "brokkr");
    const [home, sockets, empty] = ["home", "run", "empty"].map((name) => join(folder, name));
    for (const path of [home, sockets, empty]) if (path !== undefined) Deno.mkdirSync(path, { mode: 0o700 });
    Deno.copyFileSync(BINARY, this.#binary);
    const hasRuntime = SYSTEM_PATH.some((path) => RUNTIMES.some((name) => isThere(join(path, name))));
    const path = hasRuntime ? empty ?? "" : SYSTEM_PATH.join(":");
    this.#env = { PATH: path, HOME: home ?? "", XDG_RUNTIME_DIR: sockets ?? "", NO_COLOR: "1" };
  }

  async run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    echo?: (chunk: Uint8Array) => void,
  ): Promise<CommandResult> {
    return await run([this.#binary, ...args], {
      cwd: this.folder,
      env: { ...this.#env, ...env },
      clearEnv: true,
      deadlineMs: 30_000,
      ...(echo === undefined ? {} : { echo }),
    });
  }

  /** What is wrong where it does not print what matches `pattern`, or fails. */
  async prints(args: readonly string[], pattern: RegExp): Promise<string> {
    const result = await this.run(args);
    if (result.code === 0 && pattern.test(result.stdout)) return "";
    return `${result.output}\nbrokkr ${
      args.join(" ")
    } ended with exit code ${result.code}; it should print ${pattern}\n`;
  }

  /** Runs `body` while a broker runs, which must end well. */
  async while(args: readonly string[], body: () => Promise<string>): Promise<string> {
    const broker = this.run(args);
    const wrong = await this.#ready() ? await body() : "The broker was never ready\n";
    const stopped = await this.run(["stop"]);
    const { code, output } = await broker;
    if (wrong === "" && stopped.code === 0 && code === 0) return "";
    return `${wrong}${stopped.output}\n${output}\nbrokkr ${args.join(" ")} ended with exit code ${code}`;
  }

  async #ready(): Promise<boolean> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const { code, stdout } = await this.run(["status", "--json"]);
      if (code === 0 && !/"state":"(starting|cleaning|backoff)"/.test(stdout)) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  }

  homeIsEmpty(): Promise<string> {
    const found = [...Deno.readDirSync(join(this.folder, "home"))].map(({ name }) => name);
    return Promise.resolve(found.length === 0 ? "" : `HOME has ${found.join(", ")}`);
  }
}

/** Each of these would start a process of the same binary again, were it taken for a broker or for a program. */
async function refusesRoles(alone: Alone): Promise<string> {
  const role = { broker: "b", module: "m", worker: null, depth: 1, channel: "fd:3", load: null };
  const refused: readonly (readonly [role: string, message: RegExp])[] = [
    ['{"depth":9}', /^Cannot start a broker at depth 9: brokers nest at most 8 deep/],
    ["no role", /^Cannot read environment variable BROKKR_ROLE: /],
    [JSON.stringify(role), /Cannot serve module "m": the environment names no program to load/],
    [JSON.stringify({ ...role, load: [["m", "file:///none.js"]] }), /^Error: /],
  ];
  let wrong = "";
  for (const [text, message] of refused) {
    const { code, timedOut, output } = await alone.run(["demo"], { BROKKR_ROLE: text });
    if (!timedOut && code !== 0 && message.test(output)) continue;
    wrong += `${output}\nBROKKR_ROLE='${text}' ended with exit code ${code}; it should print ${message}\n`;
  }
  return wrong;
}

/** Printed and not judged: machines differ. */
async function measure(alone: Alone): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 9; round++) {
    const started = performance.now();
    await alone.run(["--version"]);
    times.push(performance.now() - started);
  }
  const median = times.toSorted((one, other) => one - other)[4] ?? 0;
  const mebibytes = (await Deno.stat(BINARY)).size / 1_048_576;
  const demo = await firstReady(alone);
  console.log(
    `     the binary has ${mebibytes.toFixed(1)} MiB; brokkr --version takes ${median.toFixed(0)} ms, ` +
      `the first clean process of brokkr demo is there after ${demo.toFixed(0)} ms`,
  );
}

async function firstReady(alone: Alone): Promise<number> {
  const started = performance.now();
  const decoder = new TextDecoder();
  let [text, ms] = ["", NaN];
  await alone.run(["demo"], {}, (chunk) => {
    text += decoder.decode(chunk, { stream: true });
    if (Number.isNaN(ms) && text.includes("cleanup done")) ms = performance.now() - started;
  });
  return ms;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const steps = new Steps();
  await steps.step("the binary is compiled and prints its version", () => compileWithBun());
  await binary(steps);
  console.log(sumText(steps.sum));
  Deno.exit(steps.sum.failed === 0 ? 0 : 1);
}
