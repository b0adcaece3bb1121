// What people see of a cluster: status, describe, completion, check, with a real nats-server.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NatsServer, SKIP } from "../process/cluster_of.ts";
import { inSandbox, type Sandbox } from "./cli_process.ts";

const OPTIONS = { skip: SKIP, timeout: 110_000 };
const MODULE = `export default {
  name: "sla",
  commands: { get_report: (month) => ({ month, availability: 99.7 }), async *days(to) { for (let i = 0; i < to; i++) yield i; }, hidden() {} },
};\n`;
/** The user "front" may not call WebUI, and reads what it likes. */
const PERMISSIONS = `authorization { users = [
  { user: web, password: w }
  { user: front, password: f, permissions: { publish: { deny: ["brokkr.prod.open.WebUI.>"] } } }
] }`;

function write(sandbox: Sandbox, name: string, content: object | string): string {
  const path = join(sandbox.folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

test(
  "brokkr status --cluster, describe, completion and cluster check show the other machines",
  OPTIONS,
  () =>
    inSandbox(async (sandbox) => {
      const server = await NatsServer.start(PERMISSIONS);
      try {
        write(sandbox, "sla.mjs", MODULE);
        const cluster = (more: object) => ({
          servers: [server.url],
          name: "prod",
          auth: { userEnv: "NATS_USER", passwordEnv: "NATS_PASSWORD" },
          ...more,
        });
        const env = (user: string) => ({ env: { NATS_USER: user, NATS_PASSWORD: user.slice(0, 1) } });
        const web = write(sandbox, "web.json", {
          name: "web",
          modules: { sla: { path: "./sla.mjs" } },
          cluster: cluster({ node: "web-1", exports: { sla: ["get_report", "days"] } }),
        });
        const front = write(sandbox, "front.json", {
          name: "front",
          modules: {},
          cluster: cluster({ node: "front-1", imports: ["sla"] }),
        });
        const brokers = [sandbox.start(["run", web], env("web")), sandbox.start(["run", front], env("front"))];
        for (const broker of brokers) await broker.printed("stderr", "The broker is ready");
        const of = async (...args: string[]) => {
          const { code, stdout, stderr } = await sandbox.run([...args, "--broker", "front"]);
          assert.deepEqual([args, code, stderr], [args, 0, ""]);
          return stdout;
        };
        assert.deepEqual(JSON.parse(await of("call", "sla@web-1", "get_report", "2021")), {
          month: 2021,
          availability: 99.7,
        });
        assert.equal(await of("call", "sla", "days", "3", "--stream"), "0\n1\n2\n");
        let shown = await of("status", "--cluster");
        // A node says with each heartbeat how many calls run there: those above may have run at the last one.
        while (/^web-1 .* sla +ready +[1-9]/m.test(shown)) shown = await of("status", "--cluster");
        assert.match(shown, /^cluster prod: joined by 127\.0\.0\.1:\d+\n/);
        assert.match(shown, /^front-1 +front +joined +\d+s +- +- +- +-$/m);
        assert.match(shown, /^web-1 +web +ready +\d+s +[\d.]+ ms +sla +ready +0$/m);
        assert.match(shown, /^sla@web-1 +web-1 +0 +1 +0 +0 +[\d.]+ ms +[\d.]+ ms$/m);
        const status = JSON.parse(await of("status", "--cluster", "--json"));
        assert.deepEqual([status.node, status.members.length, status.members[0].node], ["front-1", 1, "web-1"]);
        assert.match(await of("status"), /^cluster prod: joined as node front-1, 1 other: web-1 ready$/m);
        assert.equal(await of("describe", "sla"), "sla\n  get_report()\n  days()\n");
        assert.equal(JSON.parse(await of("describe", "--json")).modules[0].name, "sla");
        const offered = async (...words: string[]) =>
          (await sandbox.run(["completion", "bash", "--", ...words])).stdout.split("\n").slice(1, -1);
        assert.deepEqual(await offered("call", "--broker", "front", "s"), ["sla", "sla@web-1"]);
        assert.deepEqual(await offered("call", "--broker", "front", "sla@web-1", ""), ["get_report", "days"]);

        const check = (file: string, user: string, ...more: string[]) =>
          sandbox.run(["cluster", "check", file, ...more], env(user));
        const good = await check(front, "front");
        assert.deepEqual([good.code, good.stderr], [0, ""]);
        assert.match(
          good.stdout,
          /^cluster prod, broker front on node front-1\nok +server +127\.0\.0\.1:\d+, messages/,
        );
        assert.match(good.stdout, /^ok +permissions +4 subjects to subscribe to, 5 to publish to$/m);
        assert.match(
          good.stdout,
          /^warning +secrecy +the server lets this broker subscribe to "brokkr\.prod\.s\.\*\.\*\.\*"/m,
        );
        assert.match(good.stdout, /^warning +name +front@front-1 is already a member, with pid \d+$/m);
        assert.match(good.stdout, /^ok +brokers +web@web-1 answers and exports sla$/m);
        assert.match(good.stdout, /^ok +imports +sla is on web-1 \(ready\)$/m);
        assert.match(good.stdout, /^ok +clock +within 1 s/m);

        const more = write(sandbox, "more.json", {
          name: "front",
          modules: {},
          cluster: cluster({ node: "front-2", imports: ["WebUI"] }),
        });
        const denied = await check(more, "front", "--json");
        const found = JSON.parse(denied.stdout);
        assert.deepEqual([denied.code, found.ok, found.node], [1, false, "front-2"]);
        const failed = found.checks.filter(({ result }: { result: string }) => result === "failed");
        assert.deepEqual(failed.map(({ remedy }: { remedy: string }) => remedy), [
          'add "brokkr.prod.open.WebUI.*.front" to publish of the permissions of its user',
        ]);
        const wrong = await sandbox.run(["cluster", "check", front], { env: { NATS_USER: "web", NATS_PASSWORD: "x" } });
        assert.equal(wrong.code, 1);
        assert.match(wrong.stdout, /^failed +server +cluster prod can not be reached: .*authoriz/im);
        assert.match(wrong.stdout, /→ correct cluster\.auth, or the users/);
        const unset = await sandbox.run(["cluster", "check", front]);
        assert.equal(unset.code, 2);
        assert.match(unset.stderr, /environment variable NATS_USER of cluster\.auth\.userEnv/);
        for (const name of ["front", "web"]) await sandbox.run(["stop", "--broker", name]);
        for (const broker of brokers) {
          const { stderr } = await broker.ended;
          assert.equal(/Dropped|suspect|DENIED/.test(stderr), false, stderr);
        }
      } finally {
        await server.kill();
      }
    }),
);

test("brokkr cluster check and brokkr status --cluster say where there is no cluster", () =>
  inSandbox(async (sandbox) => {
    const alone = write(sandbox, "alone.json", { name: "alone", modules: {} });
    const { code, stderr } = await sandbox.run(["cluster", "check", alone]);
    assert.equal(code, 2);
    assert.match(stderr, /alone\.json has no "cluster"/);
    const broker = sandbox.start(["run", alone]);
    await broker.printed("stderr", "The broker is ready");
    const status = await sandbox.run(["status", "--cluster"]);
    assert.deepEqual([status.code, status.stdout], [1, ""]);
    assert.match(status.stderr, /^Broker "alone" is in no cluster; /);
    await sandbox.run(["stop"]);
  }));
