import assert from "node:assert/strict";
import { test } from "node:test";
import { ChildOutput, signalProcess, spawnError, type Target } from "../../src/runtime/posix/child_process.ts";
import { within } from "./started.ts";

/** Signals process 7; returns who was signalled. The system has the processes of `startTimes`, and groups at will. */
function signal(target: Partial<Target>, startTimes: Readonly<Record<number, string>>, groups = [-7]): number[] {
  const signalled: number[] = [];
  const system = {
    kill(pid: number, name: string | 0) {
      if (pid > 0 ? startTimes[pid] === undefined : !groups.includes(pid)) throw new Error("ESRCH");
      if (name !== 0) signalled.push(pid);
    },
    startTime: (pid: number) => startTimes[pid] ?? null,
  };
  const done = signalProcess("SIGKILL", { pid: 7, startTime: "100", isGone: false, group: false, ...target }, system);
  assert.equal(done, signalled.length > 0);
  return signalled;
}

test("signalProcess() signals the process that was started, or its group", () => {
  assert.deepEqual(signal({}, { 7: "100" }), [7]);
  assert.deepEqual(signal({ group: true }, { 7: "100" }), [-7]);
});

test("signalProcess() signals the process alone where it leads no group yet", () => {
  assert.deepEqual(signal({ group: true }, { 7: "100" }, []), [7]);
  assert.deepEqual(signal({ group: true, startTime: null }, { 7: "100" }, []), [7]);
  for (const isGone of [false, true]) assert.deepEqual(signal({ group: true, isGone }, { 7: "200" }, []), []);
});

test("signalProcess() never signals another process that has the pid by now, nor its group", () => {
  for (const group of [false, true]) {
    for (const isGone of [false, true]) assert.deepEqual(signal({ group, isGone }, { 7: "200" }), []);
  }
});

test("signalProcess() still reaches the group of a process that is gone, and nobody where there is none", () => {
  for (const isGone of [false, true]) {
    assert.deepEqual(signal({ group: true, isGone }, {}), [-7]);
    assert.deepEqual(signal({ isGone }, {}), []);
  }
});

test("signalProcess() goes by what the runtime knows where the system tells no start time", () => {
  assert.deepEqual(signal({ startTime: null }, { 7: "" }), [7]);
  assert.deepEqual(signal({ startTime: null, isGone: true }, { 7: "" }), []);
});

test("spawnError() says of a file that the system can't run what a script needs, and that it stays so", () => {
  const unread = () => {
    throw new Error("not to be read");
  };
  for (const cause of [Object.assign(new Error("spawn"), { code: "ENOEXEC" }), new Error("(os error 8)")]) {
    const error = spawnError({ what: 'command "/a"', cause, cwd: undefined, isFolder: () => true, read: unread });
    assert.equal(
      error.message,
      'Cannot start command "/a": the executable is no program for this system, a script needs a first line such as #!/bin/sh',
    );
    assert.equal(Reflect.get(error, "lasting"), true);
  }
});

test("ChildOutput.drained() settles at once where no stream is open", async () => {
  const output = new ChildOutput();
  output.opened();
  output.ended();
  await within(output.drained());
});

test("ChildOutput.drained() waits for the end of every stream", async () => {
  const output = new ChildOutput();
  output.opened();
  output.opened();
  const order: string[] = [];
  const drained = output.drained().then(() => order.push("drained"));
  output.chunk();
  output.ended();
  await Promise.resolve();
  order.push("first end");
  output.ended();
  order.push("second end");
  await within(drained);
  assert.deepEqual(order, ["first end", "second end", "drained"]);
});

test("ChildOutput.drained() waits as long as chunks come, and no longer", async () => {
  const output = new ChildOutput();
  output.opened();
  let chunks = 0;
  const timer = setInterval(() => {
    output.chunk();
    if (++chunks === 30) clearInterval(timer);
  }, 5);
  await within(output.drained());
  assert.equal(chunks, 30);
});

test("ChildOutput.follow() reads on once the sink has settled, and takes a stream that fails for ended", async () => {
  const output = new ChildOutput();
  const chunks = [1, 2];
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunks.shift();
      if (next === undefined) controller.error(new Error("cannot be read"));
      else controller.enqueue(Uint8Array.of(next));
    },
  }, { highWaterMark: 0 });
  const seen: string[] = [];
  const followed = output.follow(stream, async ([byte]) => {
    seen.push(`${byte} begins`);
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
    seen.push(`${byte} ends`);
  });
  const drained = output.drained().then(() => seen.push("drained"));
  await within(Promise.all([followed, drained]));
  assert.deepEqual(seen, ["1 begins", "1 ends", "2 begins", "2 ends", "drained"]);
});
