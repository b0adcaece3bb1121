import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { TestBroker } from "./broker_of.ts";

test("each new process is cleaned of the others: the pair of lines, and the block of the hook that fails", async () => {
  const t = await TestBroker.start();
  try {
    const pid = await t.pidOf("Livestatus");
    const lines = t.lines(/^cleanup\.(start|done|error)$/).filter((line) => line.includes(`[ pid:${pid} ]`));
    const prefix = (level: string) => `${level} : [ Livestatus ] [ CLEAN AFTER FORK ] [ pid:${pid} ] `;
    assert.equal(lines[0], `${prefix("INFO")}cleanup is starting`);
    assert.equal(
      lines[1],
      `${
        prefix("ERROR")
      }[ WebUI ] On linux system, the forking mechanism (process creation) is fast but create a copy of ` +
        "the father process. So we have to release unnecessary resources inherited from father. The cleaning has been " +
        "performed but we encountered an error:",
    );
    assert.equal(
      lines[2],
      `${prefix("ERROR")}[ WebUI ] Cleanup of data from module 〖 WebUI 〗 raised error 〖 IOError occurred 〗`,
    );
    assert.equal(
      lines[3],
      `${
        prefix("ERROR")
      }[ WebUI ] Some memory may have not been freed. Shinken will still run if enough memory remains available.`,
    );
    assert.equal(
      lines[4],
      `${
        prefix("ERROR")
      }[ WebUI ] You can report this message to support in order to optimize Shinken memory consumption`,
    );
    assert.equal(lines[5], `${prefix("ERROR")}[ WebUI ] ERROR stack : Traceback (most recent call last):`);
    assert.match(lines[6] ?? "", /\[ WebUI \]   File ".*modules\.[jt]s", line \d+, in afterForkCleanup$/);
    assert.equal(lines[7], `${prefix("ERROR")}[ WebUI ] IOError: IOError occurred`);
    assert.match(
      lines[8] ?? "",
      /INFO : \[ Livestatus \] \[ CLEAN AFTER FORK \] \[ pid:\d+ \] cleanup done in \d+\.\d{3}s$/,
    );
    assert.equal(lines.length, 9);
  } finally {
    await t.broker.stop();
  }
});

test("what a module owns is gone in the processes of the others, and there in its own", async () => {
  const t = await TestBroker.start();
  try {
    assert.equal(await t.broker.call("sla", "size"), 100);
    assert.equal(await t.broker.call("WebUI", "history"), 0);
    const worker = await t.broker.call("Livestatus", "ask_worker", ["whoami"]) as { history: number };
    assert.equal(worker.history, 0);
  } finally {
    await t.broker.stop();
  }
});

test("an environment variable that a module claims is gone in the processes of the others", async () => {
  process.env["SLA_DB_PASSWORD"] = "secret";
  const t = await TestBroker.start();
  try {
    assert.equal(await t.broker.call("sla", "env", ["SLA_DB_PASSWORD"]), "secret");
    assert.equal(await t.broker.call("WebUI", "env", ["SLA_DB_PASSWORD"]), null);
  } finally {
    delete process.env["SLA_DB_PASSWORD"];
    await t.broker.stop();
  }
});

test("a worker's own cleanup runs in the workers only", async () => {
  process.env["FAIL_WORKER_CLEANUP"] = "1";
  const t = await TestBroker.start();
  try {
    const failures = t.records.filter(({ event }) => event === "cleanup.error")
      .filter((record) => "owner" in record.fields && record.fields.owner === "Livestatus")
      .map(({ module }) => module);
    assert.deepEqual(failures.toSorted(), ["Livestatus-1", "Livestatus-2"]);
  } finally {
    delete process.env["FAIL_WORKER_CLEANUP"];
    await t.broker.stop();
  }
});

test("the receipt stands in the status: milliseconds, who was released, errors, memory before and after", async () => {
  const t = await TestBroker.start();
  try {
    const { modules } = await t.broker.status();
    const cleanup = modules.find(({ name }) => name === "Livestatus")?.cleanup;
    assert.deepEqual(cleanup?.released, ["sla"]);
    assert.equal(cleanup?.errors, 1);
    assert.ok((cleanup?.ms ?? 0) > 0);
    assert.deepEqual(
      cleanup?.modules.map(({ name, error }) => [name, error]),
      [["WebUI", "IOError occurred"], ["sla", null]],
    );
    assert.ok(cleanup?.modules.every(({ ms }) => ms >= 0));
    if (process.platform === "linux") {
      assert.ok((cleanup?.privateBytesBefore ?? 0) > 0);
      assert.ok((cleanup?.privateBytesAfter ?? 0) > 0);
      assert.ok((cleanup?.pssBytesBefore ?? 0) > 0);
      assert.ok((cleanup?.pssBytesAfter ?? 0) > 0);
      assert.ok((cleanup?.openFilesBefore ?? 0) > 0);
      assert.ok((cleanup?.openFilesAfter ?? 0) > 0);
    }
    assert.ok((cleanup?.heapBytesBefore ?? 0) > 0);
    assert.ok((cleanup?.heapBytesAfter ?? 0) > 0);
    const receipts = t.lines(/^cleanup\.receipt$/);
    assert.equal(receipts.length, 5);
    for (const line of receipts) {
      assert.match(line, /^DEBUG : .* \[ CLEANUP RECEIPT \] .*, open files .*, each \[WebUI \d+\.\d{3}s|, each \[sla /);
    }
  } finally {
    await t.broker.stop();
  }
});
