/**
 * `brokkr init`: a first module, its test and a configuration, which run at once.
 *
 * @module
 */

import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { argument, command, constant, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import process from "node:process";
import type { Runtime } from "../runtime/runtime.ts";
import { CliError, ExitCode } from "./cli_error.ts";
import { CONFIG_NAMES } from "./config/nearest_config.ts";
import { type FirstFile, firstFiles, type Language } from "./first_files.ts";
import { ownCommand, shellWord } from "./own_command.ts";
import { print } from "./output.ts";
import { typescriptRemedy } from "./typescript_support.ts";
import { messageOf } from "../core/thrown.ts";

const SCHEMA = "node_modules/brokkr/schema/brokkr.schema.json";
/** The name of a control socket must leave room for its folder. */
const MAX_NAME = 32;

export const initParser = command(
  "init",
  object({
    action: constant("init"),
    folder: optional(argument(string({ metavar: "DIR" }), {
      description: message`Where the files are written: this folder where it is left out.`,
    })),
    language: optional(or(
      map(option("--js", "--javascript", { description: message`Write JavaScript.` }), () => "js" as const),
      map(option("--ts", "--typescript", { description: message`Write TypeScript.` }), () => "ts" as const),
    )),
  }),
  {
    brief: message`Write a first module, its test and a configuration`,
    footer: message`Example: brokkr init my-broker. No file is ever overwritten.`,
  },
);

export interface InitAsked {
  readonly folder: string | undefined;
  readonly language: Language | undefined;
}

export async function init(runtime: Runtime, { folder = ".", language }: InitAsked): Promise<number> {
  const target = resolve(folder);
  const remedy = typescriptRemedy(runtime, "hello.ts");
  if (language === "ts" && remedy !== null) throw new CliError(`Cannot write TypeScript: ${remedy}`, ExitCode.usage);
  const files = firstFiles({
    broker: brokerName(target),
    schema: existsSync(join(target, SCHEMA)) ? `./${SCHEMA}` : null,
    language: language ?? (remedy === null ? languageOf(target) : "js"),
    runtime: runtime.program === null ? "binary" : runtime.name,
  });
  write(target, files);
  await print(nextSteps(runtime, { folder, target, files: files.map(({ name }) => name) }));
  return ExitCode.done;
}

/** TypeScript, but in a project that has a package and no TypeScript. */
function languageOf(target: string): Language {
  const has = (name: string) => existsSync(join(target, name));
  return has("package.json") && !["tsconfig.json", "deno.json", "deno.jsonc"].some(has) ? "js" : "ts";
}

/** @throws {CliError} where one of the files is there already, or the folder can't be written to. */
function write(target: string, files: readonly FirstFile[]): void {
  const there = [...CONFIG_NAMES, ...files.map(({ name }) => name)].filter((name) => existsSync(join(target, name)));
  if (there.length > 0) {
    const names = [...new Set(there)].map((name) => `"${name}"`).join(", ");
    throw new CliError(
      `Cannot write a first module to "${target}": ${names} would be overwritten, name another folder`,
      ExitCode.usage,
    );
  }
  try {
    mkdirSync(target, { recursive: true });
    for (const { name, text } of files) writeFileSync(join(target, name), text, { flag: "wx" });
  } catch (cause) {
    const why = messageOf(cause);
    throw new CliError(`Cannot write a first module to "${target}": ${why}`, ExitCode.usage, { cause });
  }
}

/** The folder's name as far as a broker may have it; it must not be the module's. */
function brokerName(target: string): string {
  const name = basename(target).replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "").slice(
    0,
    MAX_NAME,
  );
  return name === "" || name === "hello" ? "hello-broker" : name;
}

function nextSteps(
  runtime: Runtime,
  { folder, target, files }: { folder: string; target: string; files: readonly string[] },
): string {
  const brokkr = ownCommand(runtime, target);
  const [, test = ""] = files;
  const steps = [
    ...(target === process.cwd() ? [] : [[`cd ${shellWord(relative(process.cwd(), target) || folder)}`, ""]]),
    [`${brokkr} run`, "starts the broker; Ctrl-C ends it"],
    [`${brokkr} call hello greet world`, "in another terminal"],
    [`${brokkr} status`, "what runs"],
    [testCommand(runtime, { brokkr, test }), "the module's test"],
  ];
  const width = Math.max(...steps.map(([line = ""]) => line.length));
  const lines = steps.map(([line = "", what = ""]) => `  ${line.padEnd(width)}  ${what}`.trimEnd());
  return `Wrote ${files.join(", ")}. Next:\n\n${lines.join("\n")}\n`;
}

/** In the binary there is no test runner: its test is a program. */
function testCommand(runtime: Runtime, { brokkr, test }: { brokkr: string; test: string }): string {
  if (runtime.program === null) return `${brokkr} run ${test}`;
  if (runtime.name === "node") return `node --test ${test}`;
  return `${runtime.name} test ${test}`;
}
