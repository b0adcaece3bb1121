/** `brokkr init`: writes a first module, its test and a configuration, which run as they are. */

import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { basename, delimiter, join, relative, resolve } from "node:path";
import { attempt, isRecord } from "../core/checks.ts";
import { messageOf } from "../core/user_code.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError } from "./exit_codes.ts";
import { CONFIG_NAMES } from "./config/config_file.ts";
import { problemLine } from "./config/document.ts";
import { brokerName as nameFrom, serversAsModules } from "./config/mcp_file.ts";
import type { ArgsOf } from "./commands.ts";
import { print } from "./output.ts";
import { upwards } from "./files.ts";
import { ownProgram } from "./own_program.ts";
import { typescriptRemedy } from "./config/module_path.ts";
import process from "node:process";

const SCHEMA = "node_modules/brokkr/schema/brokkr.schema.json";
const OWN_SCHEMA = "brokkr.schema.json";
export async function init(
  runtime: Runtime,
  { folder = ".", from, name, js, ts }: ArgsOf<"init">,
): Promise<void> {
  if (js && ts) throw new CliError("Cannot write both: choose --js or --ts");
  const language = js ? "js" : ts ? "ts" : undefined;
  const target = resolve(folder);
  const { first, leftOut = [] } = from === undefined
    ? { first: moduleFiles(runtime, { target, name, language }) }
    : await serversFile(from, target, name);
  const files = [...first, ...await schemaFile(target)];
  write(target, files);
  for (const problem of leftOut) runtime.writeError(`${problemLine(problem)}\n`);
  await print(nextSteps(runtime, { folder, target, files: files.map(({ name }) => name) }));
}

interface ModuleFilesOptions {
  readonly target: string;
  readonly name: string | undefined;
  readonly language: Language | undefined;
}

/** A first module, its test, which is for the test runner that there is, and the configuration. */
function moduleFiles(runtime: Runtime, { target, name, language: given }: ModuleFilesOptions): FirstFile[] {
  const remedy = typescriptRemedy(runtime, "hello.ts");
  if (given === "ts" && remedy !== null) throw new CliError(`Cannot write TypeScript: ${remedy}`);
  const language = given ?? (remedy === null ? languageOf(target) : "js");
  const isBinary = runtime.program === null;
  // Without a package.json, Node treats .js as CommonJS.
  const isNode = runtime.name === "node" && !isBinary;
  const ending = isNode ? `m${language}` : language === "js" ? "mjs" : "ts";
  const module = `hello.${ending}`;
  return [
    { name: module, text: language === "ts" ? MODULE : MODULE.replaceAll(": string", "") },
    { name: `hello.test.${ending}`, text: isBinary ? program(module) : test(module) },
    configFile({ ...headOf(target, name ?? brokerName(target)), modules: { hello: { path: `./${module}` } } }),
  ];
}

/** A configuration of the servers of a file. */
async function serversFile(from: string, target: string, name: string | undefined) {
  const { modules, leftOut } = await serversAsModules(from, target);
  const config = { ...headOf(target, name ?? nameFrom(from, "mcp")), modules };
  return { first: [configFile(config)], leftOut };
}

function configFile(config: { readonly name: string; readonly modules: object }): FirstFile {
  const { name, modules } = config;
  if (Object.hasOwn(modules, name)) {
    throw new CliError(`Cannot name the broker "${name}": a module has that name, give it another one with --name`);
  }
  return { name: "brokkr.json", text: `${JSON.stringify(config, null, 2)}\n` };
}

/** TypeScript, except in a project with a package.json and no sign of TypeScript. */
function languageOf(target: string): Language {
  const has = (name: string) => existsSync(join(target, name));
  return has("package.json") && !["tsconfig.json", "deno.json", "deno.jsonc"].some(has) ? "js" : "ts";
}

/** @throws {CliError} if one of the files exists or the folder can't be written to. */
function write(target: string, files: readonly FirstFile[]): void {
  const there = [...CONFIG_NAMES, ...files.map(({ name }) => name)].filter((name) => existsSync(join(target, name)));
  if (there.length > 0) {
    const names = [...new Set(there)].map((name) => `"${name}"`).join(", ");
    throw new CliError(
      `Cannot write a first module to "${target}": ${names} would be overwritten, name another folder`,
    );
  }
  try {
    mkdirSync(target, { recursive: true });
    for (const { name, text } of files) writeFileSync(join(target, name), text, { flag: "wx" });
  } catch (cause) {
    throw new CliError(`Cannot write a first module to "${target}": ${messageOf(cause)}`, { cause });
  }
}

/** The folder's name, made a valid name of a broker other than the module's. */
function brokerName(target: string): string {
  const name = nameFrom(target, "hello-broker");
  return name === "hello" ? "hello-broker" : name;
}

/** What every first configuration begins with. */
function headOf(target: string, name: string) {
  const schema = existsSync(join(target, SCHEMA)) ? SCHEMA : OWN_SCHEMA;
  return { $schema: `./${schema}`, name, product: projectName(target) };
}

/** The schema, where no package has it: an editor reads it without a network, and it is that of this brokkr. */
async function schemaFile(target: string): Promise<FirstFile[]> {
  if (existsSync(join(target, SCHEMA)) || existsSync(join(target, OWN_SCHEMA))) return [];
  const { configSchema } = await import("./config/json_schema.ts");
  return [{ name: OWN_SCHEMA, text: `${JSON.stringify(configSchema(), null, 2)}\n` }];
}

/** The name in the project's own file, without its scope, else that of its folder. */
function projectName(target: string): string {
  for (const file of ["package.json", "deno.json", "deno.jsonc"]) {
    const found: unknown = attempt(() => JSON.parse(readFileSync(join(target, file), "utf8")));
    const { name }: { name?: unknown } = isRecord(found) ? found : {};
    if (typeof name === "string" && name !== "") return name.replace(/^@[^/]*\//, "");
  }
  return basename(target) || "brokkr";
}

function nextSteps(
  runtime: Runtime,
  { folder, target, files }: { folder: string; target: string; files: readonly string[] },
): string {
  const brokkr = ownCommand(runtime, target);
  const test = files.find((file) => file.includes(".test."));
  const steps = [
    ...(target === process.cwd() ? [] : [[`cd ${shellWord(relative(process.cwd(), target) || folder)}`, ""]]),
    [`${brokkr} run`, "starts the broker; Ctrl-C ends it"],
    ...(test === undefined ? [] : [[`${brokkr} call hello greet world`, "in another terminal"]]),
    [`${brokkr} status`, test === undefined ? "what runs, in another terminal" : "what runs"],
    ...(test === undefined ? [] : [[testCommand(runtime, { brokkr, test }), "the module's test"]]),
  ];
  const width = Math.max(...steps.map(([line = ""]) => line.length));
  const lines = steps.map(([line = "", what = ""]) => `  ${line.padEnd(width)}  ${what}`.trimEnd());
  return `Wrote ${files.join(", ")}. Next:\n\n${lines.join("\n")}\n`;
}

/** The binary has no test runner: there the test is a program. */
function testCommand(runtime: Runtime, { brokkr, test }: { brokkr: string; test: string }): string {
  if (runtime.program === null) return `${brokkr} run ${test}`;
  if (runtime.name === "node") return `node --test ${test}`;
  return `${runtime.name} test ${test}`;
}

// The npm build takes each import at the beginning of a line for one of ours, so those in the templates are indented.

type Language = "js" | "ts";

interface FirstFile {
  readonly name: string;
  readonly text: string;
}

const MODULE = `// A module: commands that run in a process of their own. Try: brokkr call hello greet world
export default {
  name: "hello",
  commands: {
    greet: (name: string) => \`Hello \${name}\`,
    count_words: (text: string) => text.split(/\\s+/).filter((word) => word !== "").length,
  },
};
`;

function test(module: string): string {
  return lines([
    'import assert from "node:assert/strict";',
    'import { test } from "node:test";',
    `import hello from "./${module}";`,
    "",
    'test("greet greets by name", () => {',
    '  assert.equal(hello.commands.greet("world"), "Hello world");',
    "});",
    "",
    'test("count_words counts words", () => {',
    '  assert.equal(hello.commands.count_words(" one  two "), 2);',
    "});",
  ]);
}

/** A program that exits with code 0, or fails with the error. */
function program(module: string): string {
  return lines([
    'import assert from "node:assert/strict";',
    'import { Broker, defineModule } from "brokkr";',
    `import definition from "./${module}";`,
    "",
    "const hello = defineModule(definition);",
    'const broker = await Broker.start({ name: "hello-test", modules: [hello], logLevel: "warning" });',
    "try {",
    '  assert.equal(await broker.call(hello, "greet", ["world"]), "Hello world");',
    '  assert.equal(await broker.call(hello, "count_words", [" one  two "]), 2);',
    '  console.log("ok");',
    "} finally {",
    "  await broker.stop();",
    "}",
  ]);
}

function lines(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** How to write `brokkr` in a command that is typed in `folder`. */
function ownCommand(runtime: Runtime, folder: string): string {
  const { program, name } = runtime;
  const file = ownProgram(runtime).at(-1) ?? "";
  if (isOnPath(file)) return "brokkr";
  if (program === null) return shellWord(fromFolder(file, folder));
  if (name !== "deno" && isInstalled(file, folder)) return name === "bun" ? "bunx --bun brokkr" : "npx brokkr";
  const runner = name === "deno" ? "deno run -A" : name;
  return `${runner} ${shellWord(fromFolder(file, folder))}`;
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What npx adds to PATH is gone when it ends. */
function isOnPath(file: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return folders.some((folder) => folder !== "" && isSame(join(folder, "brokkr"), file));
}

/** Where npx looks, from `folder` upwards. */
function isInstalled(file: string, folder: string): boolean {
  const bin = upwards(folder).map((at) => join(at, "node_modules/.bin/brokkr")).find(existsSync);
  return bin !== undefined && isSame(bin, file);
}

function isSame(one: string, other: string): boolean {
  return attempt(() => realpathSync(one) === realpathSync(other)) === true;
}

/** A path for the shell: with a leading `./` where it is below `folder`. */
function fromFolder(file: string, folder: string): string {
  const way = relative(folder, file);
  return way.startsWith("..") || way.startsWith("/") ? file : `./${way}`;
}
