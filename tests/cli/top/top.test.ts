import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { ControlClient } from "../../../src/core/control/client.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { command, fixture, inSandbox, type Sandbox } from "../cli_process.ts";
import { NO_TMUX, Screen } from "../screen.ts";

interface TopScreen {
  readonly width: number;
  readonly height: number;
  /** In front of the command. */
  readonly env?: string;
}

/** `brokkr top` in a terminal, whose settings are shown before and after it. */
function topScreen(sandbox: Sandbox, { env: given = "", ...size }: TopScreen): Screen {
  const words = `${given} ${[...command, "top"].map((word) => `'${word}'`).join(" ")}`;
  const settings = "stty -a | grep -o -- '-\\?icanon'";
  const env = { XDG_RUNTIME_DIR: sandbox.runtimeFolder };
  return new Screen(`${settings}; ${words}; echo ENDED $?; ${settings}; sleep 60`, { env, ...size });
}

test("brokkr top shows the processes, follows what happens, restarts one and leaves the terminal as it was", {
  skip: NO_TMUX,
}, () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    using screen = topScreen(sandbox, { width: 80, height: 24 });
    const first = await screen.shows(/4 processes, 4 ready/);
    assert.match(first, /^ {2}sla +ready /m);
    assert.match(first, /^ {4}Livestatus-2 +ready /m);
    await sandbox.run(["call", "sla", "crash", "no such month"]);
    await screen.shows(/last warnings and errors[^]*ERROR {3}sla: .*no such month/);
    screen.keys("Enter");
    await screen.shows(/^Clean after fork {2}/m);
    screen.keys("Escape", "r");
    await screen.shows(/restart sla\? y or n/);
    screen.keys("y");
    await screen.shows(/sla was restarted/);
    assert.match(await screen.shows(/^. sla +ready +1 /m), /4 ready/);
    screen.tmux("resize-window", "-x", "60", "-y", "12");
    const small = await screen.shows(/NAME +STATE +RST +MEMORY CALLS\/S +P99$/m);
    assert.ok(small.split("\n").every((line) => line.length <= 60));
    screen.keys("q");
    const after = await screen.shows(/ENDED 0\s+-?icanon/);
    assert.doesNotMatch(after, /Livestatus/);
    assert.deepEqual(after.match(/-?icanon/g), ["icanon", "icanon"]);
  }));

test(
  "brokkr top in a terminal that only prints says so, with exit code 2",
  { skip: NO_TMUX },
  () =>
    inSandbox(async (sandbox) => {
      using screen = topScreen(sandbox, { width: 120, height: 12, env: "TERM=dumb" });
      assert.match(
        await screen.shows(/ENDED 2/),
        /^Cannot draw: TERM is "dumb", which is a terminal that only prints; use /m,
      );
    }),
);

test(
  "brokkr top that loses its broker says so on the terminal as it was, with exit code 5",
  { skip: NO_TMUX },
  () =>
    inSandbox(async (sandbox) => {
      const broker = await sandbox.broker();
      using screen = topScreen(sandbox, { width: 80, height: 24 });
      await screen.shows(/4 processes/);
      broker.kill("SIGTERM");
      const after = await screen.shows(/ENDED 5\s+-?icanon/);
      assert.match(after, /Cannot reach broker "cli-test"/);
      assert.deepEqual(after.match(/-?icanon/g), ["icanon", "icanon"]);
    }),
);

test("brokkr top draws wide characters on a narrow screen, and goes on where it was stopped for too long", {
  skip: NO_TMUX,
}, () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker(["run", fixture("talker/brokkr.json")]);
    const client = await ControlClient.connect(await detectRuntime(), "talking", join(sandbox.sockets, "talking.sock"));
    const say = (...params: unknown[]) => client.call("talker", "say", params, {});
    using screen = topScreen(sandbox, { width: 40, height: 12 });
    await screen.shows(/1 process, 1 ready/);
    screen.keys("l");
    await say("漢字".repeat(100), 3);
    const wide = await screen.shows(/^(\S+ INFO +talker: 漢字.*…\n){3}/m);
    assert.match(wide, /^talking {2}up .*\n1 process, 1 ready\nLog of talker\n/);
    assert.match(wide, /^escape back .*…\s*$/m);
    const pid = screen.pid();
    process.kill(pid, "SIGSTOP");
    for (let round = 1; round <= 13; round++) await say("while it is stopped", 1_000);
    process.kill(pid, "SIGCONT");
    await screen.shows(/the reader is too slow: \d+ /);
    while (!screen.text().includes("it is back")) {
      await say("it is back", 1);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    client.close();
    screen.keys("Escape", "q");
    await screen.shows(/ENDED 0\s+-?icanon/);
  }));

test("brokkr top without a terminal says what to use instead", () =>
  inSandbox(async (sandbox) => {
    const { code, stderr } = await sandbox.run(["top"]);
    assert.equal(code, 2);
    assert.match(stderr, /use "brokkr status --watch" or "brokkr top --json"$/m);
  }));
