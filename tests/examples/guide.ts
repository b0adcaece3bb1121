/** A guide of docs/ as someone follows it: its files are written and its commands are run, in the order of the text. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT, run, type Running, start } from "./command.ts";

export type Step =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "command"; readonly text: string; readonly output: string | null };

/** The steps under the heading `## title`: a name in backticks before a block makes it a file, `sh` blocks are commands,
 * and a `text` block after one is what it prints. */
export async function stepsOf(guide: string, title: string): Promise<Step[]> {
  const text = await readFile(join(ROOT, "docs", guide), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  assert.ok(section !== undefined, `docs/${guide} has no part "${title}"`);
  const steps: Step[] = [];
  for (const [, name, language, body = ""] of section.matchAll(/(?:^`([\w.-]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)) {
    const last = steps.at(-1);
    if (name !== undefined) steps.push({ kind: "file", name, text: body });
    else if (language === "sh") steps.push({ kind: "command", text: body, output: null });
    else if (language === "text" && last?.kind === "command") steps[steps.length - 1] = { ...last, output: body };
    else throw new Error(`docs/${guide}: a ${language} block under "${title}" is neither a file nor a command`);
  }
  return steps;
}

export interface FollowOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What stands for the reader's own choice, such as PATH-TO/brokkr. */
  readonly replace: Readonly<Record<string, string>>;
}

export async function follow(steps: readonly Step[], { folder, env, replace }: FollowOptions): Promise<void> {
  const filled = (text: string) =>
    Object.entries(replace).reduce((text, [from, to]) => text.replaceAll(from, to), text);
  let broker: Running | undefined;
  try {
    for (const step of steps) {
      if (step.kind === "file") {
        await writeFile(join(folder, step.name), filled(step.text));
        continue;
      }
      if (step.text === BROKER) {
        broker = start(["/bin/sh", "-ec", `exec ${step.text}`], { cwd: folder, env });
        await broker.printed(/The broker is ready/);
        continue;
      }
      const { code, stdout, stderr } = await run(["/bin/sh", "-ec", filled(step.text)], { cwd: folder, env });
      assert.equal(code, 0, `${step.text}${stdout}${stderr}`);
      if (step.output !== null) assert.equal(stdout, step.output, stderr);
      if (step.text === "brokkr stop\n") assert.equal((await broker?.ended)?.code, 0);
    }
  } finally {
    await broker?.[Symbol.asyncDispose]();
  }
}

/** Stays in the foreground of its terminal, while the reader goes on in another one until it is stopped. */
const BROKER = "brokkr run\n";
