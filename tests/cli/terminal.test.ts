import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inSandbox } from "./cli_process.ts";
import { gone, pidsOf, statusOf } from "./shown_status.ts";

const MODULE = `import { openSync } from "node:fs";
export default {
  name: "sla",
  commands: {
    terminal: () => { try { return openSync("/dev/tty", "r"); } catch (error) { return error.code; } },
    slow: async () => { await new Promise((resolve) => setTimeout(resolve, 600)); return "answered"; },
  },
};
`;
// Without `exec`, a $SHELL that stays beside the command ends by the Ctrl-C too, and its exit code is what is seen.
const LINE = `line=exec; for part; do line="$line '$part'"; done`;
/** Runs the command in a terminal that is closed when this process is killed. */
const IN_TERMINAL_TO_CLOSE = ["/bin/sh", "-c", `${LINE}; exec script -qefc "$line" /dev/null`, "sh"];
/** Runs the command in a terminal, where someone types Ctrl-C as soon as there is a file \`typed\`. */
const IN_TERMINAL = [
  "/bin/sh",
  "-c",
  `${LINE}
{ until [ -e typed ]; do sleep 0.1; done; printf '\\003'; } | script -qefc "$line" /dev/null`,
  "sh",
];
const hasScript = process.platform === "linux" && existsSync("/usr/bin/script");
const needsScript = { skip: hasScript ? false : "there is no program `script`" };

test(
  "Ctrl-C in a terminal reaches the broker alone, which drains; a module has no terminal",
  needsScript,
  () =>
    inSandbox(async (sandbox) => {
      writeFileSync(join(sandbox.folder, "sla.mjs"), MODULE);
      writeFileSync(
        join(sandbox.folder, "brokkr.json"),
        '{ "name": "sla-b", "modules": { "sla": { "path": "sla.mjs" } } }',
      );
      const broker = sandbox.start(["run", "brokkr.json"], { within: IN_TERMINAL, env: { BROKKR_LOG: "debug" } });
      await broker.printed("stdout", "The broker is ready");
      const pids = pidsOf(await statusOf(sandbox));
      assert.equal((await sandbox.start(["call", "sla", "terminal"]).ended).stdout, "ENXIO\n");
      const call = sandbox.start(["call", "sla", "slow", "--timeout", "30s"]);
      await broker.printed("stdout", "Executing command [slow]");
      writeFileSync(join(sandbox.folder, "typed"), "");
      assert.equal((await call.ended).stdout, "answered\n");
      const { code, stdout } = await broker.ended;
      assert.equal(code, 0, stdout);
      assert.doesNotMatch(stdout, /received SIGINT|unexpectedly/);
      await gone(pids);
    }),
);

test("a broker in a terminal that is closed drains and ends", needsScript, () =>
  inSandbox(async (sandbox) => {
    writeFileSync(join(sandbox.folder, "sla.mjs"), MODULE);
    const config = { name: "sla-b", modules: { sla: { path: "sla.mjs" } }, log: { file: "broker.log" } };
    writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify(config));
    const terminal = sandbox.start(["run", "brokkr.json"], { within: IN_TERMINAL_TO_CLOSE });
    const log = () => readFileSync(join(sandbox.folder, "broker.log"), { encoding: "utf8", flag: "a+" });
    while (!log().includes("The broker is ready")) await new Promise((resolve) => setTimeout(resolve, 50));
    const status = await statusOf(sandbox);
    terminal.kill("SIGKILL");
    await gone([status.broker.pid, ...pidsOf(status)]);
    assert.match(log(), /sla ended as asked [^\n]* exit code 0[^]*The broker stopped/);
    assert.doesNotMatch(log(), /in force/);
  }));
