import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { temporaryFolder } from "./command.ts";
import { follow, type Step } from "./guide.ts";

/** Ends well without a word while it is being installed, as an empty file of JavaScript does. */
const INSTALL = '[ -n "$KEPT" ]\n: > brokkr\nsleep 0.3\ncp whole brokkr\n';
const WHOLE = `#!/bin/sh
case "$1" in
run) : > running; sleep 0.3; exec sleep 60 ;;
status) [ -f running ] && echo "up" ;;
call) [ -f running ] && echo "$2" ;;
esac
`;

test("follow() asks for a broker when what the block installs before it is whole", () =>
  inFolder((options) => {
    const text = `export KEPT=yes\n${INSTALL}brokkr run\n`;
    return follow([command(text), command("brokkr call sla\n", "sla\n")], options);
  }));

test("follow() fails with what was printed where the commands before the broker fail", () =>
  inFolder(async (options) => {
    const failed = follow([command("echo no room >&2; exit 3\nbrokkr run\n")], options);
    await assert.rejects(failed, /ended without .*\n.*no room/s);
  }));

test("follow() fails with what was printed where the broker ends before it is found", () =>
  inFolder(async (options) => {
    const text = "printf '#!/bin/sh\\necho no such file >&2; exit 2\\n' > brokkr\nbrokkr run\n";
    await assert.rejects(follow([command(text)], options), /no such file/);
  }));

function command(text: string, output: string | null = null): Step {
  return { kind: "command", text, output };
}

async function inFolder(body: (options: Parameters<typeof follow>[1]) => Promise<void>): Promise<void> {
  await using temporary = await temporaryFolder();
  const folder = temporary.path;
  for (const [name, text] of [["brokkr", ""], ["whole", WHOLE]] as const) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o755);
  }
  await body({ folder, env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` }, replace: {}, quiet: true });
}
