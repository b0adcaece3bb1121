import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CLI, ROOT, run, runtimeName } from "./command.ts";
import { allPages, blocksOf, textOf } from "./pages.ts";

const PAGES = [...await allPages(), "CONTRIBUTING.md"];

test("every brokkr command that a page names exists, and takes the options that it has there", async () => {
  const { stdout } = await run([...CLI, "--help"]);
  const [commands = ""] = stdout.split("\nExamples:");
  const usages = new Map(
    [...commands.matchAll(/^ {2}brokkr ([a-z]+)(.*)$/gm)].map(([, name = "", rest = ""]) => [name, rest]),
  );
  assert.ok((usages.get("logs") ?? "").includes("--since"), stdout);
  const named = await namedCommands(/(?<!install |which |\/)\bbrokkr ([a-z]+)\b([^|`;&>)\n]*)/g);
  assert.ok(named.length > 100, String(named.length));
  for (const { page, name, args } of named) {
    const usage = usages.get(name);
    assert.ok(usage !== undefined, `${page}: there is no command "brokkr ${name}"`);
    for (const option of optionsIn(args)) {
      assert.match(usage, new RegExp(`[[|]${option}[\\s|\\]]`), `${page}: brokkr ${name}${args}`);
    }
  }
});

test("every task that a page names exists, and takes the options that it has there", {
  skip: runtimeName === "deno" ? false : "the tasks are programs for Deno, no part of the compiled suite",
}, async () => {
  const { tasks } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  const named = await namedCommands(/\bdeno(?:@[\d.]+)? task ([a-z:]+)([^|`;&\n]*)/g);
  assert.ok(named.length > 30, String(named.length));
  const usages = new Map<string, string>();
  for (const { page, name, args } of named) {
    assert.ok(name in tasks, `${page}: there is no task "${name}"`);
    const options = optionsIn(args);
    if (options.length === 0) continue;
    const usage = usages.get(name) ?? await usageOf(name, tasks[name].command);
    usages.set(name, usage);
    for (const option of options) {
      assert.ok(usage.includes(`[${option}`), `${page}: deno task ${name}${args}\n${usage}`);
    }
  }
  assert.ok(usages.size > 3, String(usages.size));
});

const DEV_RUN = ["run", "-A", "--config", join(ROOT, "dev/deno.json")];

async function usageOf(task: string, command: string): Promise<string> {
  const [, program] = /^deno run -A --config dev\/deno\.json (\S+)$/.exec(command) ?? [];
  assert.ok(program !== undefined, `task "${task}" has no options: ${command}`);
  const { code, stdout, stderr } = await run([process.execPath, ...DEV_RUN, join(ROOT, program), "--help"]);
  assert.equal(code, 0, stderr);
  assert.ok(stdout.startsWith(`deno task ${task} `), stdout);
  return stdout;
}

interface Named {
  readonly page: string;
  readonly name: string;
  readonly args: string;
}

/** What stands in blocks and in backticks. The words behind it that say what it does are no part of it. */
async function namedCommands(pattern: RegExp): Promise<Named[]> {
  const named: Named[] = [];
  for (const page of PAGES) {
    const blocks = (await blocksOf(page)).filter(({ name }) => name === null).map(({ language, text }) =>
      language === "sh" ? text : language === "text" ? text.replace(/^(?!brokkr ).*$/gm, "") : ""
    );
    const prose = (await textOf(page)).replace(/^ *```.*?^ *```$/gms, "");
    const texts = [...blocks, ...(prose.match(/`[^`]+`/g) ?? [])];
    for (const [, name = "", args = ""] of texts.flatMap((text) => [...text.matchAll(pattern)])) {
      named.push({ page, name, args: args.replace(/ (?: |#).*/, "") });
    }
  }
  return named;
}

function optionsIn(args: string): string[] {
  return args.split(/[\s[\]]+/).filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ""));
}
