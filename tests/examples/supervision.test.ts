import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CLI, run, type Running, start, temporaryFolder } from "./command.ts";
import { blocksOf } from "./pages.ts";
import { freePort } from "./project.ts";

const PAGE = "docs/supervision.md";

test(`${PAGE}, A module crashes again and again: the lines are those of one that does`, async () => {
  await using broker = await brokerOf({ sla: {} }, { sla: "start() { setTimeout(() => process.exit(3), 20); }," });
  await broker.logs(await linesOf("A module crashes again and again"));
});

test(`${PAGE}, A module does not end: the lines are those of one that does not`, async () => {
  const settings = { sla: { drainMs: 200, killMs: 100 } };
  const hangs = 'start() { process.on("SIGTERM", () => {}); }, stop: () => new Promise(() => {}),';
  await using broker = await brokerOf(settings, { sla: hangs });
  await broker.ready();
  await broker.run("stop", "sla");
  await broker.logs(await linesOf("A module does not end"));
});

test(`${PAGE}, A module hangs: the lines are those of one that does`, async () => {
  const settings = { sla: { heartbeat: { intervalMs: 100, timeoutMs: 300 } } };
  const loops = "start() { setTimeout(() => { const end = Date.now() + 1500; while (Date.now() < end); }, 100); },";
  await using broker = await brokerOf(settings, { sla: loops });
  await broker.logs(await linesOf("A module hangs"));
});

test(`${PAGE}, Order of starts: a module starts when the one that it names is ready`, async () => {
  const { modules } = JSON.parse(`{${await fragmentOf("Order of starts")}}`);
  await using broker = await brokerOf(modules, { store: "", api: "" });
  const log = await broker.ready();
  assert.match(log, / store is ready .*\n(?:.*\n)*.* api is starting /);
});

test(`${PAGE}, Reload without a gap: the line is that of a module that holds a port`, async () => {
  const [line = ""] = await linesOf("Reload without a gap");
  const port = await freePort();
  const holds = `async start() {
    const server = createServer();
    await new Promise((done, failed) => server.once("error", failed).listen(${port}, "127.0.0.1", done));
  },`;
  await using broker = await brokerOf({ sla: {} }, { sla: holds });
  await broker.ready();
  assert.equal((await broker.run("reload", "sla")).code, 5);
  // What the operating system says is worded by the runtime.
  await broker.logs([line.replace(/listen EADDRINUSE.*/, "")]);
});

test(`${PAGE}, A changed configuration: the lines are those of SIGHUP`, async () => {
  const [changed = "", refused = ""] = await linesOf("Reload without a gap", 1);
  await using broker = await brokerOf({ sla: {}, old: {} }, { sla: "", old: "", added: "" });
  await broker.ready();
  await broker.change({ sla: { concurrency: 10 }, added: {} });
  await broker.logs([changed]);
  await broker.write(MISSPELT);
  await broker.logs([refused]);
});

test(`${PAGE}, Memory grows: the setting is taken, and the line is that of a module over it`, {
  skip: process.platform === "linux" ? false : "other systems have no private memory",
}, async () => {
  const [line = ""] = await linesOf("Memory grows");
  const { sla } = JSON.parse(`{${await fragmentOf("Memory grows")}}`);
  assert.ok(line.includes(`more than ${(sla.memory.warnBytes / 2 ** 20).toFixed(1)} MiB `), line);
  const memory = { ...sla.memory, warnBytes: 1_000_000, checkMs: 50 };
  await using broker = await brokerOf({ sla: { ...sla, memory } }, { sla: "" });
  await broker.logs([line]);
});

const MISSPELT = `{
  "name": "broker-master",
  "modules": {
    "sla": { "path": "./sla.mjs", "concurency": 10 }
  }
}
`;

interface Supervised extends AsyncDisposable {
  /** Settles with the log when every module has come through its first start. */
  ready(): Promise<string>;
  run(...args: string[]): ReturnType<typeof run>;
  /** Settles when lines like these were logged, in this order. */
  logs(lines: readonly string[]): Promise<void>;
  /** Writes another configuration and says so. */
  change(modules: Settings): Promise<void>;
  write(config: string): Promise<void>;
}

type Settings = Readonly<Record<string, object>>;

/** A broker under `brokkr run`, with modules that have these settings and this code. */
async function brokerOf(modules: Settings, code: Readonly<Record<string, string>>): Promise<Supervised> {
  const temporary = await temporaryFolder();
  const [folder, sockets] = [join(temporary.path, "project"), join(temporary.path, "run")];
  await Promise.all([mkdir(folder), mkdir(sockets, { mode: 0o700 })]);
  const config = join(folder, "brokkr.json");
  const imports =
    'import { createServer } from "node:net";\nimport process from "node:process";\nvoid createServer, process;\n';
  for (const [name, text] of Object.entries(code)) {
    await writeFile(
      join(folder, `${name}.mjs`),
      `${imports}export default { name: "${name}", ${text} commands: {} };\n`,
    );
  }
  const configured = (modules: Settings) => {
    const entries = Object.entries(modules).map(([name, settings]) => [name, { ...settings, path: `./${name}.mjs` }]);
    return JSON.stringify({ name: "broker-master", modules: Object.fromEntries(entries) });
  };
  await writeFile(config, configured(modules));
  const options = { cwd: folder, env: { XDG_RUNTIME_DIR: sockets } };
  const broker: Running = start([...CLI, "run"], options);
  const supervised: Supervised = {
    ready: async () => (await broker.printed(/^[^]* The broker is ready .*\n/)).join(),
    run: (...args) => run([...CLI, ...args], options),
    logs: async (lines) => void await broker.printed(likeIn(lines)),
    change: (modules) => supervised.write(configured(modules)),
    write: async (text) => {
      await writeFile(config, text);
      broker.signal("SIGHUP");
    },
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
  return supervised;
}

/** Times, sizes and pids are those of their day. */
function likeIn(lines: readonly string[]): RegExp {
  const patterns = lines.map((line) =>
    line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
      .replace(/^.{2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, "\\[[-\\d: ]+")
      .replace(/PID:\d+/g, "PID:\\d+").replace(/pid \d+/g, "pid \\d+")
      .replace(/\d+(?:\\\.\d+)?(?=s\b| MiB)/g, "[\\d.]+")
  );
  return new RegExp(patterns.join(".*\\n(?:.*\\n)*?"), "m");
}

/** The lines of the log in block number `index` of that kind. */
async function linesOf(part: string, index = 0): Promise<string[]> {
  const blocks = (await blocksOf(PAGE)).filter((block) => block.part === part && block.language === "text");
  const lines = blocks[index]?.text.trimEnd().split("\n") ?? [];
  assert.notEqual(lines.length, 0, `${PAGE} has no block ${index} of lines under "${part}"`);
  return lines;
}

/** What stands in a configuration, with modules that every runtime can load. */
async function fragmentOf(part: string): Promise<string> {
  const block = (await blocksOf(PAGE)).find((block) => block.part === part && block.language === "jsonc");
  assert.ok(block !== undefined, `${PAGE} has no part of a configuration under "${part}"`);
  return block.text;
}
