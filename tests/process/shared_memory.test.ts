import { ProcessGoneError } from "brokkr";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, statSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { confined } from "../fixtures/broker/confined.ts";
import { livestatus, sla } from "../fixtures/broker/modules.ts";
import { rejection, TestBroker } from "./broker_of.ts";

const MIB = 1024 * 1024;
const LONG = { timeoutMs: 30_000 };
const options = {
  timeout: 60_000,
  skip: existsSync("/dev/shm") && existsSync("/proc/self/fd") ? false : "this system has no shared memory, or no /proc",
};

/** The open files of a process that lie in shared memory: their names as the system tells them, and their sizes. */
function shared(pid: number): { name: string; bytes: number }[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      const name = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      if (!name.startsWith("/dev/shm/brokkr-")) return [];
      return [{ name, bytes: statSync(`/proc/${pid}/fd/${descriptor}`).size }];
    } catch {
      // The one that reads the folder is closed again.
      return [];
    }
  });
}

function names(): string[] {
  return readdirSync("/dev/shm").filter((name) => name.startsWith(`brokkr-${process.pid}-`));
}

/** Bytes by chance: where a part were another's, they would differ. */
const bytesOf = (length: number) => new Uint8Array(randomBytes(length));

function assertSame(got: unknown, sent: Uint8Array): void {
  assert.ok(got instanceof Uint8Array);
  assert.ok(Buffer.compare(got, sent) === 0, "other bytes came back");
}

test(
  "large values lie in memory without a name, come back as they were, and the memory is given back",
  options,
  async () => {
    await using t = await TestBroker.start({ modules: [sla] });
    const echo = async (sent: Uint8Array) => assertSame(await t.broker.call(sla, "echo", [sent], LONG), sent);
    await echo(bytesOf(MIB));
    await t.until(() => shared(process.pid).length === 2 && names().length === 0);
    for (let round = 0; round < 4; round++) {
      await Promise.all([MIB, 65_536, 3 * MIB, 100_000, 7 * MIB].map((length) => echo(bytesOf(length))));
    }
    const texts = ["é".repeat(MIB), "x".repeat(70_000)];
    assert.deepEqual(await t.broker.call(sla, "echo", [{ texts }], LONG), { texts });
    const pid = await t.pidOf("sla");
    for (const side of [process.pid, pid]) {
      const files = shared(side);
      assert.equal(files.length, 2);
      assert.ok(files.every(({ name, bytes }) => name.endsWith(" (deleted)") && bytes > 0), JSON.stringify(files));
    }
    await t.until(() => shared(process.pid).every(({ bytes }) => bytes === 0));
    await echo(bytesOf(MIB));
  },
);

test(
  "kill -9 of a process with large calls: they are gone, the next one has memory of its own, none is kept",
  options,
  async () => {
    await using t = await TestBroker.start({
      modules: [sla],
      settings: { sla: { restart: { delayMs: 0, maxRestarts: 100 } } },
    });
    for (let round = 0; round < 5; round++) {
      const pid = await t.pidOf("sla");
      const sent = bytesOf(MIB);
      assertSame(await t.broker.call(sla, "echo", [sent], LONG), sent);
      await t.until(() => shared(process.pid).some(({ name }) => name.endsWith("(deleted)")));
      process.kill(pid, "SIGSTOP");
      const calls = Array.from({ length: 8 }, () => rejection(t.broker.call(sla, "echo", [bytesOf(MIB)], LONG)));
      await new Promise((resolve) => setTimeout(resolve, 20));
      process.kill(pid, "SIGKILL");
      for (const error of await Promise.all(calls)) assert.ok(error instanceof ProcessGoneError, String(error));
      await t.until(async () => await t.pidOf("sla").catch(() => pid) !== pid);
    }
    await t.until(() => shared(process.pid).length === 0 && names().length === 0);
  },
);

test(
  "large values go from a worker through its module and the broker to another module, and back",
  options,
  async () => {
    await using t = await TestBroker.start({ modules: [livestatus, sla] });
    for (const length of [MIB, 100_000, 5 * MIB]) {
      const sent = bytesOf(length);
      assertSame(await t.broker.call(livestatus, "worker_ask", ["sla", "echo", [sent]], LONG), sent);
    }
    await t.until(() => names().length === 0);
  },
);

test("a process that may not open the memory gets large values over its channel", {
  ...options,
  skip: "Deno" in globalThis ? options.skip : "only Deno can give a process fewer rights",
}, async () => {
  await using t = await TestBroker.start({
    modules: [confined],
    program: new URL("../fixtures/broker/confined.ts", import.meta.url),
    settings: { confined: { permissions: {} } },
  });
  for (let round = 0; round < 3; round++) {
    const sent = bytesOf(MIB);
    assertSame(await t.broker.call(confined, "echo", [sent], LONG), sent);
  }
  await t.until(() => shared(process.pid).length === 0 && names().length === 0);
});
