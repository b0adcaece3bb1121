// Every row of the table of events in docs/cluster.md.
import { test } from "node:test";
import assert from "node:assert/strict";
import { defineModule } from "../../../src/core/module/module.ts";
import type { CallContext } from "../../../src/core/module/definition.ts";
import { rejection } from "../call/conversation.ts";
import { MemoryCluster, type MemoryNode, type NodeOptions } from "./memory_cluster.ts";

/** A module that notes each run, and ends a call when the test says so. */
function slaOf(name = "sla") {
  const runs: unknown[] = [];
  const open = new Map<unknown, (value: unknown) => void>();
  const module = defineModule({
    name,
    commands: {
      add(this: CallContext, key: unknown) {
        runs.push(key);
        return `${key} for ${this.caller}`;
      },
      echo: (value: unknown) => value,
      async wait(key: unknown) {
        runs.push(key);
        return await new Promise((resolve) => open.set(key, resolve));
      },
    },
  });
  return { module, runs, end: (key: unknown, value: unknown = key) => open.get(key)?.(value) };
}

interface Pair {
  readonly cluster: MemoryCluster;
  readonly front: MemoryNode;
  readonly web: MemoryNode;
  readonly sla: ReturnType<typeof slaOf>;
}

async function pair(more: { readonly front?: NodeOptions; readonly web?: NodeOptions } = {}): Promise<Pair> {
  const cluster = new MemoryCluster();
  const sla = slaOf();
  const web = await cluster.up("web-1", { modules: [sla.module], exports: { sla: true }, ...more.web });
  const front = await cluster.up("front", { imports: ["sla"], ...more.front });
  return { cluster, front, web, sla };
}

async function second(cluster: MemoryCluster, options: NodeOptions = {}) {
  const sla = slaOf();
  const node = await cluster.up("web-2", { modules: [sla.module], exports: { sla: true }, ...options });
  return { node, sla };
}

function call({ front }: Pick<Pair, "front">, command: string, key: unknown, options: object = {}): Promise<unknown> {
  return front.tree.core.call("sla", command, [key], options);
}

/** What a call came to, without waiting for it. */
function watched(promise: Promise<unknown>): { outcome: unknown } {
  const seen: { outcome: unknown } = { outcome: "open" };
  promise.then((value) => seen.outcome = value, (error) => seen.outcome = error);
  return seen;
}

function codeOf(outcome: unknown): string {
  return outcome instanceof Error && "code" in outcome ? `${outcome.code}: ${outcome.message}` : String(outcome);
}

test("A call of an imported module is answered, and its caller is named with its node", async () => {
  const { cluster, front, web } = await pair();
  assert.equal(await cluster.ends(call({ front }, "add", 1)), "1 for broker-front@front");
  assert.deepEqual(front.tree.lines(/^cluster/), [
    line("front", "broker-web-1@web-1 is a member, and exports sla"),
    line("front", "Joined cluster prod as node front by nats://fake:4222 (other members: 1)"),
  ]);
  await cluster.down();
  // What a process keeps of its last answers is old by then.
  await cluster.clock.advance(60_000);
  assert.equal(cluster.clock.timers, 0);
  assert.equal(web.client.isClosed, true);
});

test("Calls that are made together, and their answers, are few messages, however many calls they are", async () => {
  const { cluster, front } = await pair();
  await cluster.ends(call({ front }, "add", 0));
  const before = cluster.server.published.length;
  const keys = Array.from({ length: 1_000 }, (_, key) => `${key}`.padStart(20, "0"));
  const options = { timeoutMs: 10_000 };
  assert.deepEqual(await cluster.ends(Promise.all(keys.map((key) => call({ front }, "echo", key, options)))), keys);
  const sizes = cluster.server.published.slice(before).filter(({ subject }) => subject.startsWith("brokkr.prod.s."))
    .map(({ bytes }) => bytes);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.length <= 20, `${sizes.length} messages of ${bytes} bytes`);
  await cluster.down();
});

test("A lost connection makes calls wait: in flight they are answered later, and new ones are never sent late", async () => {
  const { cluster, front, sla } = await pair();
  await cluster.ends(call({ front }, "add", 0));
  const inFlight = watched(call({ front }, "wait", 1, { timeoutMs: 10_000 }));
  await cluster.pass(10);
  front.client.cut("connection reset");
  const before = cluster.server.published.length;
  const late = watched(call({ front }, "add", 2, { timeoutMs: 500 }));
  const patient = watched(call({ front }, "add", 3, { timeoutMs: 10_000 }));
  await cluster.pass(1_500);
  assert.match(codeOf(late.outcome), /^TIMEOUT: .*it was never sent/);
  const byFront = cluster.server.published.slice(before).filter(({ subject }) =>
    subject.startsWith("brokkr.prod.s.broker-web-1")
  );
  assert.deepEqual(byFront, []);
  sla.end(1);
  front.client.back();
  await cluster.pass(200);
  assert.deepEqual([inFlight.outcome, patient.outcome], [1, "3 for broker-front@front"]);
  assert.deepEqual(sla.runs, [0, 1, 3]);
  assert.deepEqual(front.tree.lines(/^cluster\.(dis|re)connected/), [
    line("front", "Lost the connection to nats://fake:4222, calls of other brokers wait: connection reset", "WARNING"),
    line("front", "Connected again to nats://fake:4222 after 1.500s"),
  ]);
  await cluster.down();
});

test("A server that ends and comes back loses no call and runs none twice", async () => {
  const { cluster, front, sla } = await pair();
  const calls = Array.from({ length: 20 }, (_, key) => watched(call({ front }, "add", key, { timeoutMs: 10_000 })));
  await cluster.clock.advance(0);
  for (let time = 0; time < 3; time++) {
    cluster.server.kill();
    await cluster.pass(300);
    cluster.server.restart();
    await cluster.pass(50);
  }
  await cluster.pass(1_000);
  assert.deepEqual(calls.map(({ outcome }) => outcome), calls.map((_, key) => `${key} for broker-front@front`));
  assert.deepEqual(sla.runs.toSorted(), calls.map((_, key) => key).toSorted());
  await cluster.down();
});

test("Nobody for a member's messages makes it suspect, and it is back when it is connected again", async () => {
  const { cluster, front, web, sla } = await pair();
  const waiting = watched(call({ front }, "wait", 1, { timeoutMs: 10_000 }));
  await cluster.pass(10);
  web.client.cut();
  await cluster.pass(1_500);
  assert.equal(waiting.outcome, "open");
  assert.equal(memberState(front), "suspect");
  web.client.back();
  await cluster.pass(300);
  sla.end(1);
  await cluster.pass(50);
  assert.deepEqual([waiting.outcome, memberState(front), sla.runs], [1, "ready", [1]]);
  const lines = front.tree.lines(/^cluster\.member-(suspect|back)/);
  assert.equal(
    lines[0],
    line("front", "broker-web-1@web-1 does not answer: the server has no connection to it", "WARNING"),
  );
  assert.match(lines[1] ?? "", /broker-web-1@web-1 answers again after 1\.\d{3}s$/);
  await cluster.down();
});

test("A member that was killed is gone after lostAfterMs: what was sent is rejected, what was not goes elsewhere", async () => {
  const { cluster, front, web, sla } = await pair();
  await cluster.ends(call({ front }, "add", 0));
  const sent = watched(call({ front }, "wait", 1, { timeoutMs: 10_000 }));
  await cluster.pass(10);
  web.client.die();
  await cluster.pass(500);
  const queued = watched(call({ front }, "add", 2, { timeoutMs: 30_000 }));
  await cluster.pass(1_000);
  assert.equal(sent.outcome, "open");
  await cluster.pass(1_500);
  assert.equal(codeOf(sent.outcome), 'GONE: Cannot call command "wait" of module "sla": broker web-1 is gone');
  assert.equal(queued.outcome, "open");
  const other = await second(cluster);
  await cluster.pass(500);
  assert.equal(queued.outcome, "2 for broker-front@front");
  assert.deepEqual([sla.runs, other.sla.runs], [[0, 1], [2]]);
  assert.deepEqual(front.tree.lines(/^cluster\.member-gone/), [
    line("front", "broker-web-1@web-1 is gone (calls that it had: 1)", "WARNING"),
  ]);
  assert.deepEqual(front.tree.lines(/^call\.error/), [
    "ERROR : [ broker-front ] [ sla ] [ COMMAND CALL ] [ MainThread ] Failed to send command call [wait] for module sla " +
    "because of error: broker web-1 is gone",
  ]);
  await cluster.down();
});

test("A new process with the name of one that was killed takes over at once", async () => {
  const { cluster, front, web } = await pair();
  const sent = watched(call({ front }, "wait", 1, { timeoutMs: 10_000 }));
  await cluster.pass(10);
  web.client.die();
  // Its machine has started without a clock of its own.
  cluster.clock.wallOffset = -3_600_000;
  const again = slaOf();
  const node = cluster.node("web-1", { modules: [again.module], exports: { sla: true } });
  await cluster.ends(node.tree.core.start());
  await cluster.pass(100);
  assert.match(codeOf(sent.outcome), /broker web-1 is gone$/);
  assert.equal(await cluster.ends(call({ front }, "add", 2)), "2 for broker-front@front");
  assert.deepEqual(again.runs, [2]);
  await cluster.down();
});

test("A member that stands still is suspect and never gone: calls time out as blocked, and it goes on later", async () => {
  const { cluster, front, web } = await pair();
  await cluster.ends(call({ front }, "add", 0));
  web.client.stop();
  const sent = await cluster.ends(rejection(call({ front }, "add", 1, { timeoutMs: 500 })));
  assert.match(codeOf(sent), /^TIMEOUT: .*blocked/);
  await cluster.pass(14_000);
  assert.equal(memberState(front), "suspect");
  assert.equal(front.tree.lines(/^cluster\.member-gone/).length, 0);
  const waiting = watched(call({ front }, "add", 2, { timeoutMs: 5_000 }));
  await cluster.pass(100);
  web.client.continue();
  await cluster.pass(300);
  assert.deepEqual([memberState(front), waiting.outcome], ["ready", "2 for broker-front@front"]);
  await cluster.down();
});

test("New calls go to other members while one is suspect", async () => {
  const { cluster, front, web } = await pair();
  const other = await second(cluster);
  await cluster.ends(call({ front }, "add", 0));
  web.client.cut();
  await cluster.pass(400);
  const before = other.sla.runs.length;
  for (let key = 1; key <= 10; key++) await cluster.ends(call({ front }, "add", key));
  assert.equal(other.sla.runs.length - before, 10);
  await cluster.down();
});

test("A member that comes while the first calls wait, and never answers, keeps none of them from the others", async () => {
  const { cluster, front } = await pair();
  const hasJoined = (node: string) => front.tree.lines(/^cluster\.member-joined/).some((line) => line.includes(node));
  const silent = (node: string) => {
    const options = {
      modules: [slaOf().module],
      exports: { sla: true },
      denies: (subject: string) => /\.s\./.test(subject),
    };
    return watched(cluster.node(node, options).tree.core.start());
  };
  silent("web-2");
  let joinMs = 0;
  for (; !hasJoined("web-2"); joinMs += 10) await cluster.pass(10);
  silent("web-3");
  await cluster.pass(joinMs - 50);
  const asked = watched(call({ front }, "add", 1, { timeoutMs: 5_000 }));
  await cluster.pass(40);
  assert.equal(hasJoined("web-3"), false);
  await cluster.pass(30);
  assert.equal(hasJoined("web-3"), true);
  assert.equal(asked.outcome, "open");
  await cluster.pass(300);
  assert.equal(asked.outcome, "1 for broker-front@front");
  await cluster.down();
});

test("A broker that stops answers what it has, and gets no new calls", async () => {
  const { cluster, front, web, sla } = await pair();
  const other = await second(cluster);
  const calls = [1, 2, 3, 4].map((key) => watched(call({ front }, "wait", key, { timeoutMs: 10_000 })));
  await cluster.pass(20);
  const stopping = watched(web.tree.core.stop());
  await cluster.pass(100);
  const runs = sla.runs.length;
  assert.equal(runs, 2);
  for (let key = 5; key < 9; key++) assert.ok(await cluster.ends(call({ front }, "add", key)));
  assert.equal(sla.runs.length, runs);
  assert.equal(stopping.outcome, "open");
  for (const key of [1, 2, 3, 4]) [sla, other.sla].forEach(({ end }) => end(key));
  await cluster.pass(300);
  assert.deepEqual(calls.map(({ outcome }) => outcome), [1, 2, 3, 4]);
  assert.equal(stopping.outcome, undefined);
  assert.deepEqual(front.tree.lines(/^cluster\.member-(leaving|gone)/), [line("front", "broker-web-1@web-1 leaves")]);
  await cluster.down();
});

test("The end of a module's process there reaches the caller with its exit, as a local one does", async () => {
  const { cluster, front, web } = await pair();
  const sent = watched(call({ front }, "wait", 1, { timeoutMs: 10_000 }));
  await cluster.pass(20);
  web.tree.process("sla").exit(3);
  await cluster.pass(50);
  const { outcome } = sent;
  assert.equal(codeOf(outcome), 'GONE: Cannot call command "wait" of module "sla": process exited with code 3');
  assert.equal(outcome instanceof Error && "exitCode" in outcome ? outcome.exitCode : null, 3);
  assert.equal(await cluster.ends(call({ front }, "add", 2)), "2 for broker-front@front");
  await cluster.down();
});

test("Of two brokers with one name the later one is no member, says so, and is one when the name is free", async () => {
  const { cluster, web } = await pair();
  await cluster.up("other", { modules: [slaOf("other").module], exports: { other: true } });
  const twin = cluster.node("web-1", { imports: ["other"] });
  await cluster.ends(twin.tree.core.start());
  assert.equal((await cluster.ends(twin.tree.core.status())).cluster?.state, "taken");
  assert.throws(() => twin.tree.core.checkClusterName(), /another broker "broker-web-1" is a member of the cluster/);
  assert.deepEqual(twin.tree.lines(/^cluster\.taken/), [
    line("web-1", "Broker broker-web-1 on node web-1 is a member already (pid 100), this one is not", "ERROR"),
  ]);
  assert.equal((await cluster.ends(web.tree.core.status())).cluster?.state, "joined");
  // It calls nobody.
  const asked = cluster.server.published.length;
  assert.match(codeOf(await cluster.ends(rejection(twin.tree.core.call("other", "x")))), /never sent/);
  assert.ok(!cluster.server.published.slice(asked).some(({ subject }) => subject.includes(".open.")));
  await cluster.ends(web.tree.core.stop());
  await cluster.pass(6_000);
  assert.equal((await cluster.ends(twin.tree.core.status())).cluster?.state, "joined");
  await cluster.down();
});

test("A broker that runs keeps its name from one that begins later by a clock which is behind", async () => {
  const { cluster, web } = await pair();
  cluster.clock.wallOffset = -3_600_000;
  const twin = await cluster.up("web-1");
  const state = async ({ tree }: MemoryNode) => (await cluster.ends(tree.core.status())).cluster?.state;
  assert.deepEqual([await state(web), await state(twin)], ["joined", "taken"]);
  await cluster.pass(6_000);
  assert.deepEqual([await state(web), await state(twin)], ["joined", "taken"]);
  assert.deepEqual(web.tree.lines(/^cluster\.taken/), []);
  await cluster.down();
});

test("A broker whose name another one has is found by a late answer too: it leaves, and makes no calls over its sessions", async () => {
  let isSilent = false;
  const { cluster, web } = await pair({ web: { denies: (subject) => isSilent && /\.(hi|here)\./.test(subject) } });
  const { sla: other } = await second(cluster, { broker: "other" });
  isSilent = true;
  const twin = await cluster.up("web-1", { imports: ["sla", "ghost"] });
  const unseen = watched(twin.tree.core.call("ghost", "add", [], { timeoutMs: 60_000 }));
  const toOther = (command: string, key: number) =>
    twin.tree.core.call("sla@web-2", command, [key], { timeoutMs: 10_000 });
  const state = async () => (await cluster.ends(twin.tree.core.status())).cluster?.state;
  await cluster.ends(toOther("add", 0));
  const open = watched(toOther("wait", 1));
  await cluster.pass(20);
  assert.equal(await state(), "joined");
  isSilent = false;
  await cluster.pass(1_500);
  assert.equal(await state(), "taken");
  assert.deepEqual(twin.tree.lines(/^cluster\.(joined|taken)/), [
    line("web-1", "Joined cluster prod as node web-1 by nats://fake:4222 (other members: 2)"),
    line("web-1", "Broker broker-web-1 on node web-1 is a member already (pid 100), this one is not", "ERROR"),
  ]);
  assert.match(codeOf(await cluster.ends(rejection(toOther("add", 2)))), /^TIMEOUT: .*never sent/);
  other.end(1);
  await cluster.pass(100);
  assert.deepEqual([open.outcome, other.runs], [1, [0, 1]]);
  // Who has it is known to members only.
  assert.equal(unseen.outcome, "open");
  await cluster.ends(web.tree.core.stop());
  await cluster.pass(6_000);
  assert.equal(await state(), "joined");
  assert.equal(await cluster.ends(toOther("add", 3)), "3 for broker-web-1@web-1");
  await cluster.down();
});

test("A broker that is a member again says at once that a module has another state, as before", async () => {
  let isSilent = true;
  let beats = 0;
  const denies = (subject: string) => {
    if (subject.includes(".hi.")) beats++;
    return isSilent && /\.(hi|here)\./.test(subject);
  };
  const { cluster, web } = await pair({ web: { denies } });
  const twin = await cluster.up("web-1", { modules: [slaOf("shop").module], exports: { shop: true } });
  const { core } = twin.tree;
  for (const before = beats; beats === before;) await cluster.pass(10);
  await cluster.pass(950);
  isSilent = false;
  // So that a change is on its way when the broker learns that it may not stay.
  while (core.clusterStatus()?.state === "joined") {
    void core.restart("shop");
    await cluster.pass(3);
  }
  assert.equal(core.clusterStatus()?.state, "taken");
  await cluster.ends(web.tree.core.stop());
  while (core.clusterStatus()?.state !== "joined") await cluster.pass(100);
  const said = () => cluster.server.published.filter(({ subject }) => subject.includes(".hi.broker-web-1.")).length;
  // Behind the beat of each second.
  for (const joined = said(); said() === joined;) await cluster.pass(10);
  const before = said();
  await cluster.ends(core.stopModule("shop"));
  await cluster.pass(100);
  assert.ok(said() > before);
  await cluster.down();
});

test("Names and ids of others that are patterns, or none, are published to by nobody and counted as dropped", async () => {
  const { cluster, front } = await pair();
  await cluster.ends(call({ front }, "add", 1));
  const stranger = cluster.server.connection();
  const nothing = { connected() {}, disconnected() {}, failed() {}, denied() {} };
  stranger.connect(nothing);
  await cluster.pass(10);
  const said = (id: string) =>
    new TextEncoder().encode(
      JSON.stringify({ v: 1, protocol: 1, broker: "x", node: "y", id, exports: {}, startedAt: 0 }),
    );
  const publish = (subject: string, bytes = new Uint8Array(0), reply = "") =>
    cluster.server.publish(stranger, { subject, reply, bytes, isUnheard: false });
  const before = cluster.server.published.length;
  const probe = new Uint8Array(13).fill(5, 0, 1);
  const [{ subject: mine = "" } = {}] = cluster.server.published.filter(({ subject }) =>
    subject.includes(".s.broker-f")
  );
  assert.match(mine, /^brokkr\.prod\.s\.broker-front\./);
  for (const token of ["*", ">", ""]) {
    publish("brokkr.prod.who", undefined, `brokkr.prod.s.x.${token}.here`);
    publish(`brokkr.prod.hi.${token}.y`, said("0123"));
    publish(`brokkr.prod.hi.x.${token}`, said("0124"));
    publish(mine, probe, `brokkr.prod.s.x.y.${token}`);
    publish(mine, probe, `brokkr.prod.s.${token}.y.z`);
  }
  for (const id of ["*", ">", "", "a b", "a\r\nPING", "a.b"]) publish("brokkr.prod.hi.x.y", said(id));
  // A member that is silent is asked.
  await cluster.pass(5_000);
  assert.deepEqual(cluster.server.published.slice(before).filter(({ subject }) => /\.s\.x\./.test(subject)), []);
  const { dropped, members } = (await cluster.ends(front.tree.core.status())).cluster ?? {};
  assert.deepEqual([dropped, members?.length], [6 + 3 * 5, 1]);
  await cluster.down();
});

test("Without a server local modules run, imports queue, and the broker joins later; a stop does not wait for it", async () => {
  const cluster = new MemoryCluster();
  cluster.server.isUp = false;
  const sla = slaOf();
  const front = await cluster.up("front", { modules: [sla.module], imports: ["WebUI"] });
  assert.equal(await cluster.ends(front.tree.core.call("sla", "add", [1])), "1 for broker-front");
  const late = await cluster.ends(rejection(front.tree.core.call("WebUI", "add", [1])));
  assert.match(codeOf(late), /never sent/);
  const queued = watched(front.tree.core.call("WebUI", "add", [2], { timeoutMs: 30_000 }));
  cluster.server.isUp = true;
  front.client.back();
  const web = slaOf("WebUI");
  await cluster.up("web-1", { modules: [web.module], exports: { WebUI: true } });
  await cluster.pass(500);
  assert.equal(queued.outcome, "2 for broker-front@front");
  assert.deepEqual(front.tree.lines(/^cluster\.unreachable/), [
    line("front", "Cannot connect to cluster prod, it is tried again: connection refused", "WARNING"),
  ]);
  front.client.cut();
  await cluster.ends(front.tree.core.stop());
  await cluster.down();
});

test("A broker that stops while it has no connection leaves no more timers than one that has a connection", async () => {
  const timersLeft = async (isCut: boolean) => {
    const { cluster, front, web } = await pair();
    await cluster.ends(call({ front }, "add", 1));
    for (const { client, tree } of [front, web]) {
      if (isCut) client.cut();
      await cluster.ends(tree.core.stop());
    }
    return cluster.clock.timers;
  };
  assert.equal(await timersLeft(true), await timersLeft(false));
});

test("A session that the callee does not know any more is rejected at once, and the next call opens a new one", async () => {
  const { cluster, front, web, sla } = await pair();
  const sent = watched(call({ front }, "wait", 1, { timeoutMs: 30_000 }));
  await cluster.pass(10);
  // For the callee, which has something to send, the caller is gone.
  front.client.cut();
  sla.end(1);
  await cluster.pass(2_500);
  assert.equal(memberState(web), undefined);
  front.client.back();
  await cluster.pass(100);
  assert.match(codeOf(sent.outcome), /^GONE: .*it does not know the session any more$/);
  assert.equal(await cluster.ends(call({ front }, "add", 2)), "2 for broker-front@front");
  await cluster.down();
});

test("What nobody exports is unknown, and so is what is not imported or has another protocol", async () => {
  const { cluster, front } = await pair({ front: { imports: ["sla", "WebUI"] } });
  const early = watched(front.tree.core.call("WebUI", "add", [1], { timeoutMs: 30_000 }));
  await cluster.pass(2_500);
  assert.match(codeOf(early.outcome), /^UNKNOWN_MODULE/);
  for (const target of ["WebUI", "Livestatus", "sla@web-9"]) {
    assert.match(codeOf(await cluster.ends(rejection(front.tree.core.call(target, "add", [1])))), /^UNKNOWN_MODULE/);
  }
  await cluster.down();
});

test("A command that is not exported does not exist, and its name is not hinted at", async () => {
  const { cluster, front, web, sla } = await pair({ web: { exports: { sla: ["wait"] } } });
  const outcome = await cluster.ends(rejection(call({ front }, "add", 1)));
  assert.equal(codeOf(outcome), 'UNKNOWN_COMMAND: Cannot call command "add" of module "sla": unknown command');
  assert.deepEqual(sla.runs, []);
  assert.deepEqual(web.tree.lines(/^command\.unknown/), [
    "WARNING : [ broker-web-1 ] [ sla ] [ COMMAND CALL ] [ MainThread ] Received unknown command [add] to execute !",
  ]);
  await cluster.down();
});

test("What the server does not permit is rejected at once, with its reason", async () => {
  const denies = (subject: string) => subject.startsWith("brokkr.prod.open.sla.");
  const { cluster, front } = await pair({ front: { imports: ["sla"], denies } });
  const outcome = await cluster.ends(rejection(call({ front }, "add", 1, { timeoutMs: 10_000 })));
  assert.match(
    codeOf(outcome),
    /^GONE: .*broker web-1 can not be called: the server does not permit this broker to publish to "brokkr\.prod\.open\.sla\./,
  );
  assert.equal(front.tree.lines(/^cluster\.denied/).length, 1);
  assert.equal(front.tree.lines(/^cluster\.refused/).length, 1);
  await cluster.down();
});

test("M@NODE is answered by that node only", async () => {
  const { cluster, front, sla } = await pair();
  const other = await second(cluster);
  await cluster.pass(50);
  for (let key = 0; key < 5; key++) await cluster.ends(front.tree.core.call("sla@web-2", "add", [key]));
  assert.deepEqual([sla.runs, other.sla.runs], [[], [0, 1, 2, 3, 4]]);
  other.node.client.cut();
  await cluster.pass(500);
  const waiting = watched(front.tree.core.call("sla@web-2", "add", [5], { timeoutMs: 10_000 }));
  await cluster.pass(500);
  assert.deepEqual([waiting.outcome, sla.runs], ["open", []]);
  other.node.client.back();
  await cluster.pass(300);
  assert.equal(waiting.outcome, "5 for broker-front@front");
  await cluster.down();
});

test("Calls go to the ready member with the fewest of them", async () => {
  const { cluster, front, sla } = await pair();
  const other = await second(cluster);
  await cluster.pass(50);
  const calls = Array.from({ length: 10 }, (_, key) => watched(call({ front }, "wait", key, { timeoutMs: 30_000 })));
  await cluster.pass(50);
  assert.deepEqual([sla.runs.length, other.sla.runs.length], [5, 5]);
  for (const key of sla.runs) sla.end(key);
  await cluster.pass(50);
  for (let key = 10; key < 15; key++) void watched(call({ front }, "wait", key, { timeoutMs: 30_000 }));
  await cluster.pass(50);
  assert.deepEqual([sla.runs.length, other.sla.runs.length], [10, 5]);
  assert.equal(calls.length, 10);
  for (let key = 0; key < 15; key++) [sla, other.sla].forEach(({ end }) => end(key));
  await cluster.pass(50);
  await cluster.down();
});

test("A server that takes 4 KiB gets large values in chunks, and one that takes less after a reconnect smaller ones", async () => {
  const { cluster, front } = await pair();
  const large = "x".repeat(300_000);
  assert.equal(await cluster.ends(call({ front }, "add", large)), `${large} for broker-front@front`);
  const sent = watched(call({ front }, "add", large, { timeoutMs: 10_000 }));
  cluster.server.maxPayload = 4 * 1024;
  cluster.server.kill();
  await cluster.pass(100);
  cluster.server.restart();
  await cluster.pass(500);
  assert.equal(sent.outcome, `${large} for broker-front@front`);
  assert.ok(cluster.server.published.slice(-50).every(({ bytes }) => bytes <= 4 * 1024));
  await cluster.down();
});

test("A server that takes less than the names of the commands learns of the modules without them", async () => {
  const cluster = new MemoryCluster();
  cluster.server.maxPayload = 1024;
  const commands = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`command_${number}`, () => number]));
  const modules = ["sla", "other"].map((name) => defineModule({ name, commands }));
  const front = await cluster.up("front", { imports: ["sla"] });
  const web = await cluster.up("web-1", { modules, exports: { sla: true, other: true } });
  assert.equal(await cluster.ends(call({ front }, "command_7", 0)), 7);
  const [member] = (await cluster.ends(front.tree.core.status())).cluster?.members ?? [];
  assert.deepEqual(Object.entries(member?.exports ?? {}).map(([name, { commands }]) => [name, commands]), [
    ["sla", null],
    ["other", null],
  ]);
  assert.deepEqual(web.tree.lines(/^cluster\.too-large/), []);
  await cluster.down();
});

test("A broker that has more to say than the server takes goes on, and says so once", async () => {
  const cluster = new MemoryCluster();
  cluster.server.maxPayload = 1024;
  const names = Array.from({ length: 20 }, (_, number) => `module-${number}`);
  const modules = names.map((name) => defineModule({ name, commands: { get: () => name } }));
  const exports = Object.fromEntries(names.map((name) => [name, true]));
  const web = await cluster.up("web-1", { modules, exports });
  await cluster.pass(3_000);
  assert.equal(await cluster.ends(web.tree.core.call("module-7", "get")), "module-7");
  const lines = web.tree.lines(/^cluster\.too-large/);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /ERROR .*Cannot send a message of 1\d\d\d bytes: the server takes 1024 \(max_payload\)$/,
  );
  await cluster.down();
});

test("A broker that stops says so to its own calls that have no answer yet", async () => {
  const { cluster, front } = await pair();
  const sent = watched(call({ front }, "wait", 1, { timeoutMs: 10_000 }));
  await cluster.pass(10);
  await cluster.ends(front.tree.core.stop());
  assert.match(codeOf(sent.outcome), /^GONE: .*: the broker has stopped$/);
  await cluster.down();
});

test("A broker of another version is no callee, and a line has both versions", async () => {
  const cluster = new MemoryCluster();
  const front = await cluster.up("front", { imports: ["sla"] });
  const stranger = cluster.server.connection();
  stranger.connect({ connected() {}, disconnected() {}, failed() {}, denied() {} });
  await cluster.pass(10);
  const presence = {
    v: 1,
    protocol: 99,
    version: "9.0.0",
    id: "0a",
    startedAt: 1,
    pid: 1,
    runtime: "node 99",
    exports: { sla: { state: "ready", pending: 0, commands: null } },
  };
  stranger.publish("brokkr.prod.hi.old.web-1", new TextEncoder().encode(JSON.stringify(presence)));
  await cluster.pass(2_500);
  assert.match(codeOf(await cluster.ends(rejection(call({ front }, "add", 1)))), /^UNKNOWN_MODULE/);
  assert.deepEqual(front.tree.lines(/^cluster\.incompatible/), [
    line(
      "front",
      "old@web-1 can not be called: it speaks protocol 1.99 (brokkr 9.0.0) and this is 1.1 (brokkr 0.1.0)",
      "WARNING",
    ),
  ]);
  await cluster.down();
});

test("Messages that are none are dropped, counted, and harm nobody", async () => {
  const { cluster, front } = await pair();
  await cluster.ends(call({ front }, "add", 1));
  const stranger = cluster.server.connection();
  stranger.connect({ connected() {}, disconnected() {}, failed() {}, denied() {} });
  await cluster.pass(10);
  const bytes = new Uint8Array([1, 2, 3]);
  const [session] = cluster.server.published.filter(({ subject }) => subject.startsWith("brokkr.prod.s.")) ?? [];
  await cluster.ends(call({ front }, "add", 0));
  const known = cluster.server.published.find(({ subject }) => subject.startsWith("brokkr.prod.s.broker-front."));
  for (const subject of ["brokkr.prod.hi.a.b", known?.subject ?? "", session?.subject ?? known?.subject ?? ""]) {
    stranger.publish(subject, bytes);
  }
  await cluster.pass(50);
  assert.ok(front.tree.lines(/^cluster\.dropped/).length >= 2);
  assert.equal(await cluster.ends(call({ front }, "add", 1)), "1 for broker-front@front");
  await cluster.down();
});

test("A module calls a module of another broker, and is named with its node; progress, streams and cancel pass", async () => {
  const cluster = new MemoryCluster();
  const cancelled: string[] = [];
  const remote = defineModule({
    name: "sla",
    commands: {
      who(this: CallContext) {
        this.progress("half");
        return this.caller;
      },
      async *items(count: number) {
        for (let item = 0; item < count; item++) yield item;
      },
      async hang(this: CallContext) {
        await new Promise<void>((resolve) =>
          this.signal.addEventListener("abort", () => {
            cancelled.push(this.caller);
            resolve();
          })
        );
      },
      fail() {
        throw new RangeError("too much");
      },
    },
  });
  const web = defineModule({ name: "web", commands: (ctx) => ({ who: () => ctx.call("sla", "who") }) });
  await cluster.up("web-1", { modules: [remote], exports: { sla: true } });
  const front = await cluster.up("front", { modules: [web], imports: ["sla"] });
  const { core } = front.tree;
  assert.equal(await cluster.ends(core.call("web", "who")), "web@front");
  const progress: unknown[] = [];
  await cluster.ends(core.call("sla", "who", [], { onProgress: (value) => progress.push(value) }));
  assert.deepEqual(progress, ["half"]);
  const items: unknown[] = [];
  await cluster.ends((async () => {
    for await (const item of core.stream("sla", "items", [3_000])) items.push(item);
  })());
  assert.equal(items.length, 3_000);
  const controller = new AbortController();
  const hanging = watched(core.call("sla", "hang", [], { signal: controller.signal }));
  await cluster.pass(20);
  controller.abort();
  await cluster.pass(20);
  assert.match(codeOf(hanging.outcome), /^CANCELLED/);
  assert.deepEqual(cancelled, ["broker-front@front"]);
  const failed = await cluster.ends(rejection(core.call("sla", "fail")));
  assert.deepEqual(
    failed instanceof Error && "remoteName" in failed ? [failed.name, failed.remoteName, failed.message] : failed,
    ["RemoteError", "RangeError", "too much"],
  );
  await cluster.down();
  // What a process keeps of its last answers is old by then.
  await cluster.clock.advance(60_000);
  assert.equal(cluster.clock.timers, 0);
});

test("A timeout retries once on the same session, so that the command runs once, and its lines are those of a local call", async () => {
  const { cluster, front, sla } = await pair();
  const sent = watched(call({ front }, "wait", 1, { timeoutMs: 1_000 }));
  await cluster.pass(1_500);
  sla.end(1);
  await cluster.pass(50);
  assert.deepEqual([sent.outcome, sla.runs], [1, [1]]);
  const lost = watched(call({ front }, "wait", 2, { timeoutMs: 1_000 }));
  await cluster.pass(2_100);
  assert.match(codeOf(lost.outcome), /^TIMEOUT: .*slow/);
  sla.end(2);
  await cluster.pass(50);
  const prefix = "[ broker-front ] [ sla ] [ COMMAND CALL ] [ MainThread ]";
  assert.deepEqual(front.tree.lines(/^call\.(retry|timeout)/), [
    `WARNING : ${prefix} The command call [wait] for module sla was sent but the call timed out (1s). We will retry one time.`,
    `WARNING : ${prefix} The command call [wait] for module sla was sent but the call timed out (1s). We will retry one time.`,
    `ERROR : ${prefix} Failed to send command call [wait] for module sla because of timeout (1s).`,
  ]);
  const status = await cluster.ends(front.tree.core.status());
  const { ok, retried, timeout, late } = status.cluster?.imports[0]?.calls ??
    { ok: 0, retried: 0, timeout: 0, late: 0 };
  assert.deepEqual({ ok, retried, timeout, late }, { ok: 0, retried: 1, timeout: 1, late: 0 });
  await cluster.down();
});

test("A module whose process is blocked there is told as blocked, and one that only takes long as slow", async () => {
  const { cluster, front, web } = await pair();
  const slow = await cluster.ends(rejection(call({ front }, "wait", 1, { timeoutMs: 400, retry: "never" })));
  assert.match(codeOf(slow), /^TIMEOUT: .*slow/);
  web.tree.process("sla").parent?.block();
  const blocked = await cluster.ends(rejection(call({ front }, "wait", 2, { timeoutMs: 400, retry: "never" })));
  assert.match(codeOf(blocked), /^TIMEOUT: .*blocked/);
  web.tree.process("sla").parent?.unblock();
  await cluster.down();
});

test("A module's call goes three times its timeout at most over two brokers, not nine times", async () => {
  const cluster = new MemoryCluster();
  let aborted = false;
  const remote = defineModule({
    name: "sla",
    commands: {
      async hang(this: CallContext) {
        await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve()));
        aborted = true;
      },
    },
  });
  const web = defineModule({
    name: "web",
    commands: (ctx) => ({ hang: () => ctx.call("sla", "hang", [], { timeoutMs: 500, retry: "never" }) }),
  });
  const provider = await cluster.up("web-1", { modules: [remote], exports: { sla: true } });
  const front = await cluster.up("front", { modules: [web], imports: ["sla"] });
  void watched(front.tree.core.call("web", "hang", [], { timeoutMs: 60_000 }));
  await cluster.pass(100);
  // Nobody passes the cancel on: what is left is the patience of each.
  front.tree.process("web").parent?.block();
  front.client.die();
  await cluster.pass(1_600);
  assert.equal(aborted, true);
  assert.equal(provider.tree.core.clusterStatus()?.running, 0);
});

test("Objects of one shape reach each of two members, in calls that are made at once and later", async () => {
  const { cluster, front } = await pair();
  await second(cluster);
  await cluster.pass(50);
  for (let round = 0; round < 3; round++) {
    const keys = Array.from(
      { length: 40 },
      (_, index) => ({ host: `db-${index}`, state: { up: index % 2 === 0, round } }),
    );
    const calls = keys.map((key) => front.tree.core.call("sla", "echo", [[key, key]]));
    assert.deepEqual(await cluster.ends(Promise.all(calls)), keys.map((key) => [key, key]));
    await cluster.pass(100);
  }
  await cluster.down();
});

test("A caller that stood still does not take the others for silent", async () => {
  const { cluster, front } = await pair();
  await cluster.pass(500);
  cluster.clock.standStill(10_000);
  await cluster.pass(3_000);
  assert.deepEqual(front.tree.lines(/^cluster\.member-suspect/), []);
  await cluster.down();
});

function memberState({ tree }: MemoryNode): string | undefined {
  return tree.core.clusterStatus()?.members[0]?.state;
}

function line(node: string, text: string, level = "INFO"): string {
  return `${level} : [ broker-${node} ] [ broker-${node} ] [ CLUSTER ] [ MainThread ] ${text}`;
}

test("A broker that stops while it joins becomes no member afterwards, and says nothing more", async () => {
  const cluster = new MemoryCluster();
  const { tree } = cluster.node("web-1", { modules: [slaOf().module], exports: { sla: true } });
  const started = tree.core.start();
  const asked = () => cluster.server.published.some(({ subject }) => subject.endsWith(".who"));
  while (!asked()) await cluster.pass(10);
  await cluster.ends(Promise.all([started, tree.core.stop()]));
  const published = cluster.server.published.length;
  await cluster.pass(60_000);
  assert.deepEqual(tree.lines(/^cluster/), []);
  assert.equal(cluster.server.published.length, published);
  assert.equal(cluster.clock.timers, 0);
});

test("A member whose presence does not come through is asked before it counts as silent, and stays ready", async () => {
  let isLost = false;
  const { cluster, front } = await pair({ web: { denies: (subject) => isLost && subject.includes(".hi.") } });
  isLost = true;
  // In small steps: a process that stands still for longer takes the silence for its own.
  for (let second = 0; second < 8; second++) await cluster.pass(1_000);
  assert.deepEqual(front.tree.lines(/^cluster\.member-(suspect|back|gone)/), []);
  const { cluster: status } = await cluster.ends(front.tree.core.status());
  assert.deepEqual(status?.members.map(({ node, state }) => [node, state]), [["web-1", "ready"]]);
  await cluster.down();
});

test("A member that has left, and owes no answer, is gone at once", async () => {
  const { cluster, front, web } = await pair();
  await cluster.ends(call({ front }, "add", 1));
  await cluster.ends(web.tree.core.stop());
  await cluster.pass(200);
  const members = async () => (await cluster.ends(front.tree.core.status())).cluster?.members;
  assert.deepEqual(await members(), []);
  await cluster.down();
});
