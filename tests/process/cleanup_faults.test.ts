import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { BrokerOptions } from "brokkr";
import { app, bad, first } from "../fixtures/cleanup/modules.ts";
import { isAlive, TestBroker } from "./broker_of.ts";

const never = { restart: "never" } as const;

async function withFault(
  fault: string,
  body: (t: TestBroker) => Promise<void>,
  options: Partial<BrokerOptions> = {},
): Promise<void> {
  process.env["CLEANUP_FAULT"] = fault;
  const t = await TestBroker.start({
    program: new URL("../fixtures/cleanup/program.ts", import.meta.url),
    modules: [first, bad, app],
    settings: { first: never, bad: never, app: never },
    ...options,
  });
  try {
    await body(t);
  } finally {
    delete process.env["CLEANUP_FAULT"];
    await t.broker.stop();
  }
}

/** The lines of CLEAN AFTER FORK that the process of a module wrote, without their prefix. */
async function linesOf(t: TestBroker, name: string): Promise<string[]> {
  const prefix = ` : [ ${name} ] [ CLEAN AFTER FORK ] [ pid:${await t.pidOf(name)} ] `;
  return t.lines(/^cleanup\.(start|error|done)$/).filter((line) => line.includes(prefix))
    .map((line) => line.replace(prefix, " "));
}

for (
  const [fault, message, summary] of [
    ["throw", "thrown", "OwnedError: thrown"],
    ["reject", "rejected", "OwnedError: rejected"],
    ["text", "just text", "Error: just text"],
    ["undefined", "undefined", "Error: undefined"],
    ["hang", "cleanup did not end in 5s", "DeadlineError: cleanup did not end in 5s"],
    [
      "exit",
      "Cannot end the process in a cleanup: exit(0) was called",
      "Error: Cannot end the process in a cleanup: exit(0) was called",
    ],
  ] as const
) {
  test(`cleanup hook: ${fault}: it is named, the others run in order, the pair of lines is whole, calls are served`, async () => {
    await withFault(fault, async (t) => {
      assert.deepEqual(await t.broker.call(app, "seen"), []);
      assert.deepEqual(await t.broker.call(first, "seen"), ["hook of app", "app", "at import", "bad", "owned by bad"]);
      const lines = await linesOf(t, "app");
      assert.equal(lines[0], "INFO cleanup is starting");
      assert.equal(lines[2], `ERROR [ bad ] Cleanup of data from module 〖 bad 〗 raised error 〖 ${message} 〗`);
      assert.equal(lines.at(-2)?.replace("ERROR stack : ", ""), `ERROR [ bad ] ${summary}`);
      assert.match(lines.at(-1) ?? "", /^INFO cleanup done in \d+\.\d{3}s$/);
      const { modules } = await t.broker.status();
      const status = modules.find(({ name }) => name === "app");
      assert.deepEqual([status?.cleanup?.released, status?.cleanup?.errors], [["first"], 1]);
      assert.deepEqual(status?.cleanup?.modules.map(({ name, error }) => [name, error]), [["bad", message], [
        "first",
        null,
      ]]);
      assert.deepEqual([status?.state, status?.restarts, status?.calls.ok], ["ready", 0, 1]);
    });
  });
}

for (
  const [fault, reason] of [
    ["kill", 'process was killed by SIGKILL in the cleanup of module "bad"'],
    ["spin", 'cleanup of module "bad" blocked the process for 10s'],
  ] as const
) {
  test(`cleanup hook: ${fault}: the process is gone, and the reason names the module`, async () => {
    await withFault(fault, async (t) => {
      await assert.rejects(t.broker.call(app, "seen"), { name: "ProcessGoneError", message: /process did not start/ });
      assert.equal(await t.broker.call(bad, "pid"), await t.pidOf("bad"));
      const exits = t.records.filter(({ event }) => event === "process.exited");
      assert.deepEqual(exits.map(({ fields }) => "reason" in fields && fields.reason), [reason, reason]);
      const [line = ""] = t.lines(/^process\.exited$/);
      assert.match(line, /^WARNING : \[ broker-master \] \[ (app|first) \] \[ PROCESS \] .* signal SIGKILL\): /);
      assert.ok(line.endsWith(`: ${reason}`), line);
      const { modules } = await t.broker.status();
      assert.deepEqual(modules.map(({ state }) => state), ["failed", "ready", "failed"]);
      assert.equal(modules.find(({ name }) => name === "app")?.calls.error, 1);
      for (const { fields } of exits) {
        const pid = "childPid" in fields ? fields.childPid : null;
        assert.equal(pid !== null && await isAlive(pid), false);
      }
    });
  });
}

test("cleanup hook: prints 10 MB: the others run, and the pair of lines is whole", async () => {
  let bytes = 0;
  const log: BrokerOptions["log"] = (record) => {
    if (record.event === "process.output" && "text" in record.fields) bytes += record.fields.text.length + 1;
    else records.push(record);
  };
  const records: TestBroker["records"] = [];
  await withFault("print", async (t) => {
    assert.deepEqual(await t.broker.call(first, "seen"), ["hook of app", "app", "at import", "bad", "owned by bad"]);
    t.records.push(...records);
    const lines = await linesOf(t, "app");
    assert.deepEqual(lines.map((line) => line.replace(/\d+\.\d{3}s/, "TIME")), [
      "INFO cleanup is starting",
      "INFO cleanup done in TIME",
    ]);
  }, { log, logLevel: "info" });
  assert.ok(bytes > 0);
});

test("a command that is sent at once waits until the cleanup is over", async () => {
  await withFault("slow", async (t) => {
    const restarted = t.broker.restart("app");
    const seen = t.broker.call(app, "seen", [], { timeoutMs: 60_000 });
    const calledAt = t.records.length;
    assert.deepEqual(await seen, []);
    const since = t.records.slice(calledAt).filter(({ module }) => module === "app").map(({ event }) => event);
    assert.ok(since.indexOf("cleanup.done") !== -1, since.join());
    assert.ok(since.indexOf("cleanup.done") < since.indexOf("command.executing"), since.join());
    await restarted;
  });
});
