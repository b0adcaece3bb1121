/** What npm would publish. */

import { join } from "node:path";
import { run } from "../command.ts";

/** The files that `npm pack` takes from `folder`, a line each, and what is wrong. */
export async function packList(folder: string): Promise<{ text: string; wrong: string }> {
  const { code, stdout, output } = await run(["npm", "pack", "--dry-run", "--json"], { cwd: folder });
  if (code !== 0) return { text: "", wrong: output };
  const parsed: unknown = JSON.parse(stdout);
  // A list before npm 12, an object by name since.
  const [packed]: unknown[] = typeof parsed === "object" && parsed !== null ? Object.values(parsed) : [];
  const { files, size, unpackedSize } = fieldsOf(packed);
  if (!Array.isArray(files)) return { text: "", wrong: `npm pack --json printed no files:\n${stdout}` };
  const lines = files.map(fieldsOf).map(({ path, size }) => `     ${String(size).padStart(8)}  ${path}`);
  return {
    text: `${lines.join("\n")}\n     ${files.length} files, ${size} bytes packed, ${unpackedSize} unpacked\n`,
    wrong: "",
  };
}

/** Whether the package says where its source is. */
export async function hasRepository(folder: string): Promise<boolean> {
  const content: unknown = JSON.parse(await Deno.readTextFile(join(folder, "package.json")).catch(() => "{}"));
  return fieldsOf(content)["repository"] !== undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
