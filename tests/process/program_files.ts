import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The repository; the compiled suite is in a folder of it. */
export const ROOT = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../" : "../../../../", import.meta.url),
);
const PACKAGES = `${ROOT}dev/node_modules/`;

/** Programs that nobody here wrote. They run in Node, whatever runtime the suite is in. */
export const EVERYTHING = ["node", `${PACKAGES}@modelcontextprotocol/server-everything/dist/index.js`];
export const TYPESCRIPT_SERVER = ["node", `${PACKAGES}typescript-language-server/lib/cli.mjs`, "--stdio"];

/** Version 5 of TypeScript, which the language server needs; the package of that name is another version. */
export function tsserver(): string {
  const folder = readdirSync(`${PACKAGES}.deno`).find((name) => /^typescript@5\./.test(name));
  if (folder === undefined) throw new Error(`${PACKAGES}.deno has no typescript@5, run "deno task dev"`);
  return `${PACKAGES}.deno/${folder}/node_modules/typescript/lib/tsserver.js`;
}

/** Why tests with Python can't run here, or false. */
export function withoutPython(): string | false {
  try {
    const version = execFileSync("python3", ["--version"], { encoding: "utf8", env: process.env });
    return /^Python 3\./.test(version) ? false : `python3 is ${version.trim()}, and Python 3 is needed`;
  } catch {
    return "there is no python3 on PATH";
  }
}
