/** The pages that people read, and the blocks in them. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./command.ts";

export interface Block {
  /** Path of the page in the repository. */
  readonly page: string;
  /** The `## ` heading that it stands under, else the page's title. */
  readonly part: string;
  /** Of the fence. */
  readonly line: number;
  /** Empty where the fence names none. */
  readonly language: string;
  /** The name in backticks before it, which makes it a file; else null. */
  readonly name: string | null;
  readonly text: string;
}

/** README.md, every guide, and the README of every example, as paths in the repository. */
export async function allPages(): Promise<string[]> {
  const guides = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md")).map((name) =>
    `docs/${name}`
  );
  const examples = (await readdir(join(ROOT, "examples"))).map((name) => `examples/${name}/README.md`);
  return ["README.md", ...guides.sort(), ...examples.sort()];
}

export async function textOf(page: string): Promise<string> {
  return await readFile(join(ROOT, page), "utf8");
}

/** Every fenced block of a page, in its order. */
export async function blocksOf(page: string): Promise<Block[]> {
  const blocks: Block[] = [];
  let part = "";
  let open: { line: number; fence: string; language: string; name: string | null; body: string[] } | undefined;
  let before = "";
  for (const [index, line] of (await textOf(page)).split("\n").entries()) {
    const [, fence, language = ""] = /^ *(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open !== undefined) {
      if (fence === open.fence && language === "") {
        const { body, line, language, name } = open;
        blocks.push({ page, part, line, language, name, text: body.map((line) => `${line}\n`).join("") });
        [open, before] = [undefined, ""];
      } else open.body.push(line);
    } else if (fence !== undefined) {
      const name = /^`([\w.-]+)`:$/.exec(before)?.[1] ?? null;
      open = { line: index + 1, fence, language: language.trim(), name, body: [] };
    } else {
      part = /^(?:## |# )(.*)$/.exec(line)?.[1] ?? part;
      if (line !== "") before = line;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block has no end`);
  return blocks;
}
