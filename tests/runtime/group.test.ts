import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { type GroupTools, leader } from "../../src/runtime/posix/child_process.ts";
import { receive, withStarted, withVariable } from "./started.ts";

const COMMAND = { command: ["deno", "run", "a.ts"], env: { A: "1" } } as const;
const BY_SESSION = { ...COMMAND, detached: true };
const TOOLS: GroupTools = { canRun: () => true, read: () => "1\n" };

test("leader() has Perl make the group where sessions are scheduled one by one, and keeps it from what it says of locales", () => {
  const { command, env, detached } = leader(COMMAND, TOOLS);
  assert.deepEqual([command[0], ...command.slice(3)], ["/usr/bin/perl", ...COMMAND.command]);
  assert.deepEqual(env, { A: "1", PERL_BADLANG: "00" });
  assert.equal(detached, false);
});

test("leader() makes the group by a session where that costs nothing, where there is no Perl, and without the right to look", () => {
  const refused = () => {
    throw new Error("not permitted");
  };
  for (const other of [{ read: () => "0\n" }, { read: refused }, { canRun: () => false }, { canRun: refused }]) {
    assert.deepEqual(leader(COMMAND, { ...TOOLS, ...other }), BY_SESSION);
  }
});

test("leader() leaves it to the runtime to say that what is to be started is gone", () => {
  assert.deepEqual(leader(COMMAND, { ...TOOLS, canRun: (path) => path !== COMMAND.command[0] }), BY_SESSION);
});

test("leader() does not run Perl where the environment has it load something", () => {
  const given = { ...COMMAND, env: { PERL5OPT: "-MDebug" } };
  assert.deepEqual(leader(given, TOOLS), { ...given, detached: true });
});

const AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled";
const isLed = existsSync("/usr/bin/perl") && existsSync(AUTOGROUP) && readFileSync(AUTOGROUP, "utf8") === "1\n";
const linux = { skip: process.platform === "linux" ? false : "the system does not say which session a process is of" };

/** Parent, group, session and terminal of a process. */
function familyOf(pid: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 4).split(" ", 4).map(Number);
}

test(
  "spawnProgram() with `group` makes a leader without a terminal, of this session where that is faster",
  linux,
  () =>
    withStarted({ mode: "grandchild" }, async ({ pid }, channel) => {
      const received = receive(channel);
      await received.until(() => received.text().endsWith("\n"));
      const [, , session] = familyOf(process.pid);
      assert.deepEqual(familyOf(pid), [process.pid, pid, isLed ? session : pid, 0]);
      assert.deepEqual(familyOf(Number(received.text())), [pid, pid, isLed ? session : pid, 0]);
    }),
);

test("spawnProgram() leaves a process the variable of Perl that is the program's own, and none else", () =>
  withVariable(
    "PERL_BADLANG",
    "0",
    () =>
      withStarted({ mode: "report", env: { LC_ALL: "xx_XX" } }, async (_process, channel) => {
        const received = receive(channel);
        await received.end;
        assert.equal(JSON.parse(received.text()).env.PERL_BADLANG, "0");
      }),
  ));
