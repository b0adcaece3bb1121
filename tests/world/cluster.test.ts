// Long faults of a cluster under the load of 50 callers, with a real nats-server. Each: no wrong answer, no command that runs twice,
// every call settled once, what was never sent never runs; see underLoad.
import assert from "node:assert/strict";
import { test } from "node:test";
import process from "node:process";
import {
  FrontBroker,
  Ledger,
  type Load,
  NatsServer,
  pause,
  Proxy,
  RemoteNode,
  SKIP,
  underLoad,
} from "../process/cluster_of.ts";

const OPTIONS = { skip: SKIP, timeout: 3 * 60_000 };

interface Setting {
  readonly server: NatsServer;
  /** Between the caller and the server. */
  readonly proxy: Proxy;
  readonly web: RemoteNode;
  readonly front: FrontBroker;
  readonly ledger: Ledger;
}

/** One callee, and a caller that may be cut off. */
async function withFault(
  fault: (setting: Setting) => Promise<unknown>,
  options: Parameters<typeof underLoad>[3] = {},
): Promise<Load & { readonly front: FrontBroker }> {
  using ledger = new Ledger();
  await using server = await NatsServer.start();
  await using proxy = await Proxy.to(server.port);
  await using web = await RemoteNode.start({ servers: [server.url], node: "web-1", ledger: ledger.path });
  await using front = await FrontBroker.start({ servers: [proxy.url] });
  const heap = () => process.memoryUsage().heapUsed;
  const before = heap();
  const load = await underLoad(front, ledger, () => fault({ server, proxy, web, front, ledger }), options);
  console.log(`  ${JSON.stringify(load)}`);
  const { cluster } = await front.broker.status();
  assert.deepEqual(cluster?.imports.map(({ pending }) => pending), [0]);
  // The test's own notes of each call are a part of it.
  assert.ok(heap() - before < 100 * 1024 * 1024 + load.total * 2_000, `${before} bytes of heap became ${heap()}`);
  // As before, after all of it.
  assert.deepEqual(await front.broker.call("sla", "run", [9_000_000, 0], { timeoutMs: 10_000 }), {
    key: 9_000_000,
    double: 18_000_000,
  });
  return { ...load, front };
}

test("nats-server killed three times", OPTIONS, async () => {
  const { counts } = await withFault(async ({ server }) => {
    for (let time = 0; time < 3; time++) {
      await server.kill();
      await pause(200);
      await server.restart();
      await pause(1_500);
    }
  }, { timeoutMs: 5_000 });
  assert.deepEqual(Object.keys(counts), ["ok"]);
});

test("the caller's connection cut 20 times", OPTIONS, async () => {
  const { counts } = await withFault(async ({ proxy }) => {
    for (let time = 0; time < 20; time++) {
      proxy.cut();
      await pause(400);
    }
  }, { timeoutMs: 5_000 });
  assert.deepEqual(Object.keys(counts), ["ok"]);
});

test("nothing passes for 3 s, and no end sees it", OPTIONS, async () => {
  const { counts } = await withFault(({ proxy }) => proxy.blackhole(3_000));
  const { ok = 0, TIMEOUT = 0, ...others } = counts;
  assert.deepEqual(others, {});
  assert.ok(ok > 0 && TIMEOUT > 0);
});

test("the server is away for 4 s with timeouts of 1 s", OPTIONS, async () => {
  const { counts } = await withFault(async ({ server }) => {
    await server.kill();
    await pause(4_000);
    await server.restart();
    await pause(2_000);
  });
  const { ok = 0, TIMEOUT = 0, GONE = 0, ...others } = counts;
  assert.deepEqual(others, {});
  assert.ok(ok > 0 && TIMEOUT > 50 && GONE <= 50);
});

for (const [ms, few] of [[3_000, true], [14_000, false]] as const) {
  test(`the callee stands still for ${ms / 1_000} s: calls time out as blocked, none is GONE`, OPTIONS, async () => {
    const { counts, front } = await withFault(async ({ web }) => {
      web.signal("SIGSTOP");
      await pause(ms);
      web.signal("SIGCONT");
      await pause(1_500);
    });
    const { ok = 0, TIMEOUT = 0, ...others } = counts;
    assert.deepEqual(others, {});
    assert.ok(ok > 0 && TIMEOUT > 0);
    assert.equal(front.lines(/^cluster\.member-gone$/).length, 0);
    if (!few) assert.ok(front.lines(/^cluster\.member-back$/).length > 0);
  });
}

test("the callee is killed and started again under the same name", OPTIONS, async () => {
  const again: RemoteNode[] = [];
  try {
    const { counts } = await withFault(async ({ server, web, ledger }) => {
      await web.end("SIGKILL");
      again.push(await RemoteNode.start({ servers: [server.url], node: "web-1", ledger: ledger.path }));
      await pause(1_000);
    }, { timeoutMs: 10_000 });
    const { ok = 0, GONE = 0, ...others } = counts;
    assert.deepEqual(others, {});
    assert.ok(ok > 0 && GONE <= 50);
  } finally {
    for (const node of again) await node[Symbol.asyncDispose]();
  }
});

test("of a cluster of two servers each is killed in turn", OPTIONS, async () => {
  using ledger = new Ledger();
  const [one, other] = [await NatsServer.start(), await NatsServer.start()];
  await one.kill();
  await other.kill();
  const routed = (own: number, far: number) =>
    `cluster { name: c, host: "127.0.0.1", port: ${own}, routes: ["nats-route://127.0.0.1:${far}"] }`;
  const [near, far] = [one.port + 10_000, other.port + 10_000].map((port) => port > 65_000 ? port - 30_000 : port);
  await using first = await NatsServer.start(routed(near ?? 0, far ?? 0), one.port);
  await using second = await NatsServer.start(routed(far ?? 0, near ?? 0), other.port);
  await using web = await RemoteNode.start({ servers: [first.url, second.url], node: "web-1", ledger: ledger.path });
  await using front = await FrontBroker.start({ servers: [second.url, first.url] });
  const load = await underLoad(front, ledger, async () => {
    for (const server of [first, second, first]) {
      await server.kill();
      await pause(1_500);
      await server.restart();
      await pause(1_500);
    }
  }, { timeoutMs: 5_000 });
  console.log(`  ${JSON.stringify(load)}`);
  assert.deepEqual(Object.keys(load.counts), ["ok"]);
  assert.equal(web.process.exitCode, null);
});

test("nats-server refuses both brokers for a while, and takes them again", OPTIONS, async () => {
  Object.assign(process.env, { BROKKR_TEST_USER: "a", BROKKR_TEST_PASSWORD: "b" });
  const auth = { userEnv: "BROKKR_TEST_USER", passwordEnv: "BROKKR_TEST_PASSWORD" };
  await using server = await NatsServer.start("authorization { user: a, password: b }");
  await using web = await RemoteNode.start({ servers: [server.url], node: "web-1", auth });
  await using front = await FrontBroker.start({ servers: [server.url], auth });
  await front.broker.call("sla", "run", [1, 0]);
  await server.kill();
  const other = await NatsServer.start("authorization { user: a, password: c }", server.port);
  const patient = front.broker.call("sla", "run", [2, 0], { timeoutMs: 60_000 });
  await pause(3_000);
  assert.equal((await front.broker.status()).cluster?.reason, "Authorization Violation");
  await other.kill();
  await server.restart();
  assert.deepEqual(await patient, { key: 2, double: 4 });
  assert.equal(web.process.exitCode, null);
});

test("a server that takes 4 KiB at most", OPTIONS, async () => {
  await using server = await NatsServer.start("max_payload: 4096");
  await using _web = await RemoteNode.start({ servers: [server.url], node: "web-1" });
  await using front = await FrontBroker.start({ servers: [server.url] });
  const bytes = new Uint8Array(2_000_000).fill(7);
  assert.deepEqual(await front.broker.call("sla", "echo", [bytes], { timeoutMs: 30_000 }), bytes);
});
