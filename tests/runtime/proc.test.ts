import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fromPs, fromSmapsRollup, groupRuns, startTimeOf, waitedMsOf } from "../../src/runtime/posix/proc.ts";
import { receive, runtime, withStarted } from "./started.ts";

const NO_SCHEDSTAT = existsSync("/proc/self/schedstat") ? false : "needs /proc/self/schedstat";

const ROLLUP = `556e7a5f1000-7ffd5b7f3000 ---p 00000000 00:00 0                          [rollup]
Rss:               48340 kB
Pss:               27012 kB
Pss_Dirty:         13960 kB
Private_Clean:      6120 kB
Private_Dirty:     13944 kB
Private_Hugetlb:    2048 kB
SwapPss:               0 kB
`;

test("fromSmapsRollup() counts dirty private pages and huge ones", () => {
  assert.deepEqual(fromSmapsRollup(ROLLUP), {
    rssBytes: 48340 * 1024,
    pssBytes: 27012 * 1024,
    privateBytes: (13944 + 2048) * 1024,
  });
});

test("fromSmapsRollup() leaves unknown what is not told", () => {
  assert.deepEqual(fromSmapsRollup(""), { rssBytes: null, pssBytes: null, privateBytes: null });
  assert.deepEqual(fromSmapsRollup("Rss: 4 kB\nPrivate_Dirty: 2 kB\n"), {
    rssBytes: 4096,
    pssBytes: null,
    privateBytes: 2048,
  });
});

test("groupRuns() counts no process of another group, none that has ended, and none that is gone meanwhile", () => {
  const stats: Record<string, string> = {
    "5": "5 (a) 7) S 1 5 5 0",
    "8": "8 (sh -c 7) Z 1 7 7 0",
    "9": "9 (x) X 1 7 7 0",
  };
  const list = () => ["self", ...Object.keys(stats), "10"];
  const read = (path: string) => {
    const stat = stats[path.split("/")[2] ?? ""];
    if (stat === undefined) throw new Error("ENOENT");
    return stat;
  };
  assert.equal(groupRuns(7, { list, read }), false);
  stats["11"] = "11 (node) R 1 7 7 0";
  assert.equal(groupRuns(7, { list, read }), true);
});

test("groupRuns() is true where the system does not say", () => {
  const refused = () => {
    throw new Error("ENOENT: no such file or directory, /proc");
  };
  assert.equal(groupRuns(7, { list: refused, read: refused }), true);
});

test("fromPs() reads the one figure that every system has", () => {
  assert.deepEqual(fromPs("  51234\n"), { rssBytes: 51234 * 1024, pssBytes: null, privateBytes: null });
  assert.deepEqual(fromPs(""), { rssBytes: null, pssBytes: null, privateBytes: null });
});

test("memory() reads this process, another one and none", () =>
  withStarted({ mode: "echo" }, async (process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    for (const pid of [runtime.pid, process.pid]) {
      const { rssBytes, pssBytes, privateBytes } = await runtime.memory(pid);
      assert.ok(rssBytes !== null && rssBytes > 1_000_000);
      assert.ok(pssBytes === null || pssBytes <= rssBytes);
      assert.ok(privateBytes === null || privateBytes > 0);
    }
    process.kill("SIGKILL");
    await process.exited;
    assert.deepEqual(await runtime.memory(process.pid), { rssBytes: null, pssBytes: null, privateBytes: null });
  }));

test(
  "waitedMs() is what the system says of this process, and 0 of one that is not there",
  { skip: NO_SCHEDSTAT },
  () => {
    const read = () => waitedMsOf(() => readFileSync(`/proc/${runtime.pid}/schedstat`, "utf8"));
    const [before, between, after] = [read(), runtime.waitedMs(runtime.pid), read()];
    assert.ok(before <= between && between <= after, `${before}, ${between}, ${after}`);
    assert.equal(runtime.waitedMs(0), 0);
  },
);

test("waitedMsOf() reads nanoseconds, and nothing where there are none", () => {
  assert.equal(waitedMsOf(() => "57787954 1500000 3\n"), 1.5);
  assert.equal(waitedMsOf(() => ""), 0);
});

test("startTimeOf() reads the 22nd field, whatever the program is called, and null where there is none", () => {
  const fields = Array.from({ length: 30 }, (_, index) => String(index + 3)).join(" ");
  assert.equal(startTimeOf(() => `7 (a) R 1 (b) ${fields}`), "22");
  assert.equal(startTimeOf(() => `7 () ${fields}`), "22");
  assert.equal(startTimeOf(() => "7 (a) R"), null);
  assert.equal(
    startTimeOf(() => {
      throw new Error("ENOENT");
    }),
    null,
  );
});
