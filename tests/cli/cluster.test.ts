import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NatsServer, SKIP } from "../process/cluster_of.ts";
import { ending, inSandbox, type Sandbox } from "./cli_process.ts";
import { faultsOf } from "./config_faults.ts";

const OPTIONS = { skip: SKIP, timeout: 110_000 };

test("the configuration's cluster is checked, each fault with its place", async () => {
  const cluster = (text: string) =>
    `{\n"name": "b",\n"modules": { "sla": { "path": "./a.js" } },\n"cluster": ${text}\n}`;
  const base = '"servers": ["nats://a:4222"], "name": "prod"';
  // The place of each fault is where ^ stands.
  for (
    const [marked, fault] of [
      ["^{}", "cluster.servers is missing, add it"],
      [`{ ${base}, ^"export": {} }`, 'unknown key "export": did you mean "exports"'],
      [
        `{ ${base}, "exports": { "sla": ^1 } }`,
        "cluster.exports.sla must be true, false or a list of commands, and it is 1",
      ],
      [`{ ${base}, "exports": { ^"slb": true } }`, "cluster.exports.slb names no module of this broker, remove it"],
      [
        `{ ${base}, "imports": [^"sla"] }`,
        'cluster.imports.0 is "sla", which this broker has itself: a name is either local or imported',
      ],
      [`{ ${base}, "imports": [^"b"] }`, 'cluster.imports.0 is "b", the name of this broker'],
      [
        `{ ${base}, "node": ^"a b" }`,
        'cluster.node must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and it is "a b"',
      ],
      [`{ "servers": ^[], "name": "prod" }`, "cluster.servers must name one server at least"],
      [
        `{ "servers": ["nats://a:4222", ^"nats://me:secret@a:4222"], "name": "prod" }`,
        "cluster.servers.1 must have no user or token in it: set cluster.auth",
      ],
      ...["ws://a:4222", "nats://", "a:4222,b:4222", "nats://a:99999", "::1:4222", "TLS://a"].map((address) =>
        [
          `{ "servers": [^"${address}"], "name": "prod" }`,
          `cluster.servers.0 must be an address such as nats://HOST:4222, and it is "${address}"`,
        ] as const
      ),
      [
        `{ ${base}, "auth": { "creds": "a", "nkey": ^"b" } }`,
        "cluster.auth.nkey contradicts auth.creds: keep one of them",
      ],
      [`{ ${base}, "auth": { "userEnv": ^"A" } }`, "cluster.auth.userEnv needs auth.passwordEnv too, add it"],
      [`{ ${base}, "tls": { "key": ^"a.key" } }`, "cluster.tls.key needs tls.cert too, add it"],
      [`{ ${base}, "lostAfterMs": ^0 }`, "cluster.lostAfterMs must be a number of milliseconds above 0, and it is 0"],
    ] as const
  ) {
    const column = '"cluster": '.length + marked.indexOf("^") + 1;
    const found = await faultsOf(cluster(marked.replace("^", "")));
    assert.ok(found.includes(`brokkr.json:4:${column}: ${fault}`), `${marked}: ${found.join("\n")}`);
  }
  const right = '"servers": ["a", "a.b:1", "nats://[::1]:4222", "tls://1.2.3.4", "nats://a:4222/"], "name": "prod"';
  assert.deepEqual(await faultsOf(cluster(`{ ${right} }`)), []);
  assert.deepEqual(await faultsOf(cluster(`{ ${base}, "exports": { "sla": ["get"] }, "imports": ["WebUI"] }`)), []);
});

test(
  "brokkr run joins the cluster of its configuration, and brokkr call reaches the other's module",
  OPTIONS,
  () =>
    inSandbox(async (sandbox) => {
      const server = await NatsServer.start();
      try {
        const web = configOf(sandbox, "web", {
          modules: { sla: { path: "./sla.mjs" } },
          cluster: { servers: [server.url], name: "prod", node: "web-1", exports: { sla: ["hello"] } },
        });
        const front = configOf(sandbox, "front", {
          modules: {},
          cluster: { servers: [server.url], name: "prod", node: "front", imports: ["sla"] },
        });
        const brokers = [sandbox.start(["run", web]), sandbox.start(["run", front])];
        for (const broker of brokers) await broker.printed("stderr", "The broker is ready");
        const call = (...args: string[]) => sandbox.run(["call", "--broker", "front", ...args]);
        assert.equal((await call("sla", "hello", "you")).stdout, "Hello you, says broker front@front\n");
        assert.equal((await call("sla@web-1", "hello", "you")).stdout, "Hello you, says broker front@front\n");
        const hidden = await call("sla", "hidden");
        assert.deepEqual([hidden.code, hidden.stdout], [4, ""]);
        const status = JSON.parse((await sandbox.run(["status", "--broker", "front", "--json"])).stdout);
        assert.deepEqual(
          status.cluster.members.map(({ node, state }: { node: string; state: string }) => [node, state]),
          [
            ["web-1", "ready"],
          ],
        );

        // The name of a broker that runs elsewhere: exit code 2, and what to do.
        const twin = configOf(
          sandbox,
          "web",
          { cluster: { servers: [server.url], name: "prod", node: "web-1" } },
          "twin",
        );
        const taken = await sandbox.run(["run", twin], { env: { XDG_RUNTIME_DIR: sandbox.folder } });
        assert.equal(taken.code, 2);
        assert.match(
          taken.stderr,
          /Cannot start broker "web": another broker "web" is a member of the cluster, on a node/,
        );
        const program = join(sandbox.folder, "twin.mjs");
        const settings = JSON.stringify({ servers: [server.url], name: "prod", node: "web-1" });
        const library = (file: string) => JSON.stringify(new URL(`../../${file}${ending}`, import.meta.url).href);
        writeFileSync(
          program,
          `import { Broker } from ${library("mod")};
import { nats } from ${library("nats")};
await Broker.start({ name: "web", modules: [], cluster: nats(${settings}) });
`,
        );
        const alike = await sandbox.run(["run", program], { env: { XDG_RUNTIME_DIR: sandbox.folder } });
        assert.equal(alike.code, 2, alike.stderr);
        assert.match(alike.stderr, /^Cannot start broker "web": another broker "web" is a member of the cluster/m);
        for (const name of ["front", "web"]) await sandbox.run(["stop", "--broker", name]);
      } finally {
        await server.kill();
      }
    }),
);

function configOf(sandbox: Sandbox, name: string, config: object, file = name): string {
  writeFileSync(
    join(sandbox.folder, "sla.mjs"),
    `export default {
  name: "sla",
  commands: { hello(name) { return \`Hello \${name}, says \${this.caller === "front@front" ? "broker " : ""}\${this.caller}\`; }, hidden() {} },
};\n`,
  );
  const path = join(sandbox.folder, `${file}.json`);
  writeFileSync(path, JSON.stringify({ name, modules: {}, ...config }));
  return path;
}
