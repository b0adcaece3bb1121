import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { CLI, ROOT, run, runtimeName, temporaryFolder } from "./command.ts";
import { blocksOf } from "./pages.ts";

const skip = runtimeName === "node"
  ? "Node 20 cannot run the README's TypeScript; its JavaScript is in getting-started"
  : false;

test("the README's program runs as it stands there", { skip }, async () => {
  const [program, shown] = (await blocksOf("README.md")).filter(({ part }) => part === "A program");
  assert.ok(program !== undefined && program.text.startsWith("// main.ts\n"), "README.md has no program main.ts");
  await using temporary = await temporaryFolder();
  const main = join(temporary.path, "main.ts");
  await writeFile(main, program.text);
  await writeFile(join(temporary.path, "deno.json"), JSON.stringify({ imports: { brokkr: join(ROOT, "mod.ts") } }));
  if (runtimeName === "bun") {
    await mkdir(join(temporary.path, "node_modules"));
    await symlink(join(ROOT, "npm"), join(temporary.path, "node_modules/brokkr"));
  }
  const flags = runtimeName === "deno" ? ["run", "-A"] : [];
  const { code, stdout, stderr } = await run([process.execPath, ...flags, main], { cwd: temporary.path });
  assert.equal(code, 0, stderr);
  assert.equal(inOneWay(stdout), inOneWay(shown?.text ?? ""));
});

test("README.md, Try it: the demo prints lines and tables like those, each cleanup, error and outcome once", async () => {
  const shown = (await blocksOf("README.md")).find(({ part, language }) => part === "Try it" && language === "text");
  assert.ok(shown !== undefined, "README.md does not show the demo");
  const { code, stdout, stderr } = await run([...CLI, "demo"], { env: { BROKKR_LOG: "" } });
  assert.equal(code, 0, stderr);
  const printed = likeness(`${stdout}${stderr}`);
  for (const line of likeness(shown.text)) {
    const whole = line.replace(/…$/, "");
    const isThere = printed.some((other) => whole === line ? other === line : other.startsWith(whole));
    assert.ok(isThere, `${line}\n${stdout}${stderr}`);
  }
  const lines = stdout.split("\n").filter((line) => line.startsWith("["));
  const texts = [/cleanup is starting$/, /raised error 〖 IOError/, /cleanup done in/, /was executed by the module/];
  texts.push(/timed out \(0\.2s\)/, /because of timeout/, /another answer/, /unknown command/, /Failed to execute/);
  for (const text of [...texts, /because of error: process exited/, /will be started again/]) {
    assert.equal(lines.filter((line) => text.test(line)).length, 1, `${text}\n${stdout}`);
  }
  // The two error blocks have stacks, whose depth the runtime decides.
  assert.ok(lines.length < 30, stdout);
});

/** Bun prints an object over several lines. */
function inOneWay(output: string): string {
  return output.replaceAll(/\s+/g, " ").replaceAll(", }", " }");
}

/** Figures are those of their day and machine, columns as wide as they are. */
function likeness(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && line !== "…").map((line) =>
    line.replace(/\b(?:deno|node|bun) \d[\d.]*/, "RUNTIME").replace(/(?<!\w)\d[\d,.]*/g, "N").replace(/ +/g, " ")
      .trimEnd()
  );
}
