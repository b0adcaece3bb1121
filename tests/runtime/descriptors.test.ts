import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RUN_FLAGS } from "../fixtures/run_flags.ts";
import { fixture, inTemporaryFolder, receive, runtime, start, succeeded, within, withStarted } from "./started.ts";

const ROUNDS = 50;
const AT_ONCE = 10;

const PROC = { skip: existsSync("/proc/self/fd") ? false : "this system has no /proc to read descriptors from" };
const COUNTED = {
  skip: await runtime.openFiles() === null ? "this system does not tell how many files are open" : false,
};

test("a new process inherits only its standard streams and its channel", PROC, async () => {
  const before = new Set(targets("self").values());
  const folder = mkdtempSync(join(tmpdir(), "brokkr-"));
  const file = openSync(join(folder, "open"), "w");
  const listener = await runtime.listen(join(folder, "listener"), () => {});
  try {
    await withStarted({ mode: "echo", output: () => {} }, async (_first, firstChannel) => {
      const first = receive(firstChannel);
      firstChannel.write(new Uint8Array(1));
      await first.until(({ bytes }) => bytes === 1);
      const own = [...targets("self").values()].filter((target) => !before.has(target));
      assert.ok(own.length > 3);
      await withStarted({ mode: "echo", output: () => {} }, async (second, secondChannel) => {
        const answer = receive(secondChannel);
        secondChannel.write(new Uint8Array(1));
        await answer.until(({ bytes }) => bytes === 1);
        const inherited = [...targets(second.pid)].filter(([descriptor, target]) =>
          descriptor > 2 && own.includes(target)
        );
        assert.deepEqual(inherited, []);
        assert.equal(targets(second.pid).get(0), "/dev/null");
      });
    });
  } finally {
    listener.close();
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
});

test(`${ROUNDS} processes leave no descriptor behind`, COUNTED, async () => {
  await Promise.all(Array.from({ length: AT_ONCE }, round));
  const before = await settledOpenFiles();
  for (let done = 0; done < ROUNDS; done += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, round));
  const after = await settledOpenFiles();
  assert.ok(before !== null && after !== null && after <= before, `${before} open files before, ${after} after`);
});

test(`${AT_ONCE} processes that never open their channel leave no descriptor behind`, COUNTED, async () => {
  await silentRound();
  const before = await settledOpenFiles();
  await Promise.all(Array.from({ length: AT_ONCE }, silentRound));
  const after = await settledOpenFiles();
  assert.ok(before !== null && after !== null && after <= before, `${before} open files before, ${after} after`);
});

test("spawnProgram() says so when no descriptor is left, and goes on when there is again", async () => {
  const limited = ["sh", "-c", 'ulimit -n 80; exec "$0" "$@"', execPath, ...RUN_FLAGS, fileURLToPath(fixture)];
  let printed = "";
  const process = await runtime.spawnCommand(limited, {
    group: true,
    env: { ...runtime.env.all(), MODE: "exhaust" },
    output: (_stream, chunk) => printed += new TextDecoder().decode(chunk),
  });
  try {
    const received = receive(process.channel);
    assert.deepEqual(await within(process.exited), succeeded, printed);
    await within(received.end);
    assert.match(received.text(), /^[1-9]\d* started\. Cannot .*: too many files are open, .*\nrecovered 0\n$/);
  } finally {
    process.kill("SIGKILL", { group: true });
  }
});

test("no socket and no folder of a channel is left in the temporary folder", async () => {
  await inTemporaryFolder(async (folder) => {
    await withStarted({ mode: "echo" }, async (_process, channel) => {
      const received = receive(channel);
      channel.write(new Uint8Array(1));
      await received.until(({ bytes }) => bytes === 1);
      assert.deepEqual(readdirSync(folder), []);
    });
  });
});

async function round(): Promise<void> {
  await withStarted({ mode: "echo", output: () => {} }, async (process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(100));
    await received.until(({ bytes }) => bytes === 100);
    channel.close();
    await received.end;
    await process.exited;
  });
}

async function silentRound(): Promise<void> {
  const process = await start({ mode: "silent", output: () => {} });
  await within(process.channel.then((channel) => receive(channel).end, () => {}));
  await process.exited;
}

/** Descriptors are closed some turns after the last event. */
async function settledOpenFiles(): Promise<number | null> {
  let lowest = await runtime.openFiles();
  for (let i = 0; i < 10 && lowest !== null; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    lowest = Math.min(lowest, await runtime.openFiles() ?? lowest);
  }
  return lowest;
}

function targets(pid: number | "self"): Map<number, string> {
  const found = new Map<number, string>();
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      found.set(Number(descriptor), readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      // The one that reads the folder is closed again.
    }
  }
  return found;
}
