import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCluster, type CheckResult } from "../../../src/core/cluster/check.ts";
import { defineModule } from "../../../src/core/module/module.ts";
import { CLUSTER_VERSION } from "../../../src/core/cluster/members.ts";
import { PROTOCOL_VERSION } from "../../../src/core/wire/frame.ts";
import type { FakeClient } from "./fake_server.ts";
import { MemoryCluster } from "./memory_cluster.ts";

const MODULE = defineModule({ name: "sla", commands: { get: () => 1 } });
const EXPORTS = { exports: { sla: true }, modules: [MODULE], broker: "web" } as const;

async function checked(cluster: MemoryCluster, client: FakeClient, over: object = {}): Promise<CheckResult[]> {
  const exports = new Map([["WebUI", true]] as const);
  const { connect } = client;
  const plan = { name: "prod", node: "front", exports, imports: ["sla"], lostAfterMs: 2_000, connect, ...over };
  const options = { plan, broker: "front", clock: cluster.clock, newId: () => "0123456789abcdef" };
  const results = await cluster.ends(checkCluster(options));
  assert.equal(client.isClosed, true);
  return results;
}

function short(results: readonly CheckResult[]): string[] {
  return results.map(({ about, result, text }) => `${result} ${about}: ${text}`);
}

test("brokkr cluster check finds all well, and no broker takes it for a member or drops what it sends", async () => {
  const cluster = new MemoryCluster();
  const web = await cluster.up("web-1", EXPORTS);
  const seen = web.tree.lines(/^cluster/).length;
  const isOthers = (subject: string) => subject.startsWith("brokkr.prod.s.*");
  const client = cluster.server.connection({ deniesSubscribing: isOthers });
  const results = await checked(cluster, client);
  assert.deepEqual(short(results), [
    "ok server: nats://fake:4222, messages of up to 1024 KiB",
    "ok permissions: 5 subjects to subscribe to, 5 to publish to",
    "ok secrecy: this broker cannot read the calls of others",
    "ok name: front@front is free",
    "ok brokers: web@web-1 answers and exports sla",
    "ok imports: sla is on web-1 (ready)",
    "ok clock: within 1 s of every other broker's",
  ]);
  assert.deepEqual(results.filter(({ remedy }) => remedy !== null), []);
  assert.equal(web.tree.lines(/^cluster/).length, seen);
  assert.deepEqual((await cluster.ends(web.tree.core.status())).cluster?.members, []);
  assert.equal((await cluster.ends(web.tree.core.status())).cluster?.dropped, 0);
  await cluster.down();
});

test("brokkr cluster check names each subject that is not permitted, and where it belongs", async () => {
  const cluster = new MemoryCluster();
  const web = await cluster.up("web-1", EXPORTS);
  const id = web.tree.core.clusterStatus()?.node;
  assert.equal(id, "web-1");
  const client = cluster.server.connection({
    denies: (subject) => /\.open\.|\.s\.web\.|\.who$/.test(subject) && !subject.endsWith(".who"),
    deniesSubscribing: (subject) => /\.open\.WebUI\./.test(subject),
  });
  const results = await checked(cluster, client);
  const failed = results.filter(({ result }) => result === "failed");
  assert.deepEqual(failed.map(({ text, remedy }) => [text, remedy]), [
    [
      'the server does not let this broker subscribe to "brokkr.prod.open.WebUI.*.*": nobody can call its module "WebUI"',
      'add "brokkr.prod.open.WebUI.*.*" to subscribe of the permissions of its user',
    ],
    [
      'the server does not let this broker publish to "brokkr.prod.open.sla.*.front": it cannot call module "sla"',
      'add "brokkr.prod.open.sla.*.front" to publish of the permissions of its user',
    ],
    [
      "web@web-1 does not answer this broker",
      'add "brokkr.prod.s.web.*.*" to publish of the permissions of this broker\'s user',
    ],
  ]);
  const [warning] = results.filter(({ result }) => result === "warning");
  assert.match(warning?.text ?? "", /subscribe to "brokkr\.prod\.s\.\*\.\*\.\*": it can read every call/);
  await cluster.down();
});

test("brokkr cluster check says that no server answers, that nobody is there, and that the name is taken", async () => {
  const cluster = new MemoryCluster();
  cluster.server.isUp = false;
  assert.deepEqual(await checked(cluster, cluster.server.connection()), [{
    about: "server",
    result: "failed",
    text: "cluster prod can not be reached: connection refused",
    remedy: "start nats-server, correct cluster.servers, or open its port in the firewall",
  }]);
  cluster.server.isUp = true;
  const alone = short(await checked(cluster, cluster.server.connection()));
  assert.ok(alone.includes("warning brokers: there is no other broker"));
  assert.ok(alone.includes('warning imports: nobody exports module "sla"'));
  await cluster.up("front", { broker: "front" });
  assert.match(
    short(await checked(cluster, cluster.server.connection())).join("\n"),
    /^warning name: front@front is a/m,
  );
  await cluster.down();
});

test("brokkr cluster check finds a clock that is wrong, another protocol, and a broker that does not answer", async () => {
  const cluster = new MemoryCluster();
  const other = cluster.server.connection();
  const presence = {
    v: CLUSTER_VERSION,
    protocol: PROTOCOL_VERSION,
    version: "9.9.9",
    id: "fe",
    startedAt: 1,
    exports: {},
  };
  const say = (name: string, more: object) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...presence, id: name, ...more }));
    other.publish(`brokkr.prod.here.0123456789abcdef.${name}.far`, bytes);
  };
  const pubSub = other.connect({ connected() {}, disconnected() {}, failed() {}, denied() {} });
  pubSub.subscribe("brokkr.prod.who", () => {
    const now = cluster.clock.wall();
    say("fast", { at: now + 5_000 });
    say("slow", { at: now - 3_000 });
    say("new", { at: now, protocol: PROTOCOL_VERSION + 1 });
  });
  await cluster.pass(10);
  const failed = short(await checked(cluster, cluster.server.connection())).filter((line) => line.startsWith("failed"));
  assert.deepEqual(failed, [
    "failed brokers: fast@far does not answer this broker",
    "failed brokers: slow@far does not answer this broker",
    "failed brokers: new@far has another protocol, brokkr 9.9.9",
    "failed clock: the clock of fast@far is 5.0 s ahead of this machine's",
    "failed clock: the clock of slow@far is 3.0 s behind this machine's",
  ]);
});
