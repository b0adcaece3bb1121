import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { command, inSandbox } from "../cli_process.ts";
import { NO_TMUX, Screen } from "../screen.ts";

const EVENT = "[2021-10-11 06:10:52] INFO : [ sla ] [ CLEAN AFTER FORK ] [ pid:2565 ] cleanup is starting";
const FOREIGN = "said \x1b[2J\x1b]0;owned\x07 by somebody";

test("brokkr logs shows control characters of a file on a terminal, and hands them on as they are elsewhere", {
  skip: NO_TMUX,
}, () =>
  inSandbox(async (sandbox) => {
    const file = join(sandbox.folder, "foreign.log");
    await writeFile(file, `${EVENT}\n${FOREIGN}\n`);
    const words = ["logs", file, "--lines", "--unread"];
    const shell = [...command, ...words].map((word) => `'${word}'`).join(" ");
    using screen = new Screen(`${shell}; echo ENDED $?; sleep 60`, { env: {}, width: 100, height: 12 });
    const text = await screen.shows(/ENDED \d/);
    assert.ok(text.includes("said \\u001b[2J\\u001b]0;owned\\u0007 by somebody"), text);
    assert.equal((await sandbox.run(words)).stdout, `${EVENT}\n${FOREIGN}\n`);
  }));
