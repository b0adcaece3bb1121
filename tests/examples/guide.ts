/** A page as someone follows it: its files are written and its commands are run, in the order of the text. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommandOptions, run, type Running, start } from "./command.ts";
import { blocksOf } from "./pages.ts";

export type Step =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "command"; readonly text: string; readonly output: string | null };

/** The steps under the heading `## part`, or under the page's title: a name in backticks before a block makes it a file, `sh`
 * blocks are commands, and a `text` block after one is what it prints. */
export async function stepsOf(page: string, part: string): Promise<Step[]> {
  const steps: Step[] = [];
  for (const { name, language, text, ...block } of await blocksOf(page)) {
    if (block.part !== part) continue;
    const last = steps.at(-1);
    if (name !== null) steps.push({ kind: "file", name, text });
    else if (language === "sh") steps.push({ kind: "command", text, output: null });
    else if (language === "text" && last?.kind === "command") steps[steps.length - 1] = { ...last, output: text };
    else throw new Error(`${page}:${block.line}: a ${language} block is neither a file nor a command`);
  }
  assert.notEqual(steps.length, 0, `${page} has no part "${part}" with a block`);
  return steps;
}

export interface FollowOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What stands for the reader's own choice, such as PATH-TO/brokkr. */
  readonly replace: Readonly<Record<string, string>>;
  /** The configuration leaves the line out that says that the broker is ready. @default false */
  readonly quiet?: boolean;
}

export async function follow(
  steps: readonly Step[],
  { folder, env, replace, quiet = false }: FollowOptions,
): Promise<void> {
  const filled = (text: string) =>
    Object.entries(replace).reduce((text, [from, to]) => text.replaceAll(from, to), text);
  let broker: Running | undefined;
  try {
    for (const step of steps) {
      if (step.kind === "file") {
        await writeFile(join(folder, step.name), filled(step.text));
        continue;
      }
      const [command, output] = [filled(step.text), step.output === null ? null : filled(step.output)];
      if (BROKER.test(command)) {
        const begun = command.replace(BROKER, `echo '${BEGUN}' >&2\nexec $&`);
        broker = start(["/bin/sh", "-ec", begun], { cwd: folder, env });
        // What the block installs is not whole before, and a program that is still empty ends well.
        await broker.printed(literal(BEGUN));
        if (quiet) await found(broker, { cwd: folder, env });
        else await broker.printed(/The broker is ready/);
        if (output !== null) await broker.printed(literal(output));
        continue;
      }
      const { code, stdout, stderr } = await run(["/bin/sh", "-ec", command], { cwd: folder, env });
      assert.equal(code, 0, `${command}${stdout}${stderr}`);
      if (output !== null) assert.equal(stdout, output, stderr);
      if (command.endsWith("brokkr stop\n")) assert.equal((await broker?.ended)?.code, 0);
    }
  } finally {
    await broker?.[Symbol.asyncDispose]();
  }
}

/** Comes before what the broker prints. */
const BEGUN = "the commands before the broker are done";

/** Settles when the broker is found; calls wait until its modules are ready. */
async function found(broker: Running, options: CommandOptions): Promise<void> {
  await using asking = start(["/bin/sh", "-ec", "until brokkr status; do sleep 0.1; done"], options);
  const ended = broker.ended.then(({ stdout, stderr }) => Promise.reject(new Error(`It ended:\n${stdout}${stderr}`)));
  const { code, stdout, stderr } = await Promise.race([asking.ended, ended]);
  assert.ok(code === 0 && stdout !== "", stderr);
}

/** Stays in the foreground of its terminal, while the reader goes on in another one until it is stopped. A program ends by itself. */
const BROKER = /^(?:npx |bun x --bun )?brokkr run(?! [^\n]*\.[jt]s\b)[^\n]*\n$/m;

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
}
