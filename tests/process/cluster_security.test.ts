// Who may connect, and what the server lets each broker do.
import { ProcessGoneError, UnknownCommandError, UnknownModuleError } from "brokkr";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { rejection } from "./broker_of.ts";
import { FrontBroker, NatsServer, pause, RemoteNode, SKIP } from "./cluster_of.ts";

const OPTIONS = { skip: SKIP, timeout: 110_000 };
const NO_OPENSSL = spawnSync("openssl", ["version"]).status === 0 ? false : "openssl is missing";

/** The users of docs/cluster.md under "Security", and one who may be there and call nobody. */
const GUIDE = readFileSync(new URL("../../docs/cluster.md", import.meta.url), "utf8");
const PERMISSIONS = (/```text\n(authorization[^`]*)```/.exec(GUIDE)?.[1] ?? "").replaceAll(
  "brokkr.prod.",
  "brokkr.test.",
)
  .replace("$PROVIDER_PASSWORD", "p").replace("$FRONT_PASSWORD", "f").replace(
    "users = [",
    `users = [
    { user: other, password: o, permissions: {
      publish: ["brokkr.test.hi.front.*", "brokkr.test.who", "brokkr.test.here.*.front.*", "brokkr.test.s.>"]
      subscribe: ["brokkr.test.hi.*.*", "brokkr.test.who", "brokkr.test.here.*.*.*", "brokkr.test.s.front.>"]
    } }`,
  );

const KEYS = JSON.parse(readFileSync(new URL("../fixtures/cluster/keys.json", import.meta.url), "utf8"));
const CREDS = `-----BEGIN NATS USER JWT-----
${KEYS.userJwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${KEYS.userSeed}
------END USER NKEY SEED------
`;
const RESOLVER = `operator: ${KEYS.operator}
resolver: MEMORY
resolver_preload: { ${KEYS.account}: ${KEYS.accountJwt} }`;

function userOf(name: string): { auth: { userEnv: string; passwordEnv: string } } {
  process.env[`CLUSTER_USER_${name}`] = name;
  process.env[`CLUSTER_PASSWORD_${name}`] = name.slice(0, 1);
  return { auth: { userEnv: `CLUSTER_USER_${name}`, passwordEnv: `CLUSTER_PASSWORD_${name}` } };
}

test(
  "the guide's permissions let front call sla, and nobody else; the one that may not learns why at once",
  OPTIONS,
  async () => {
    const server = await NatsServer.start(PERMISSIONS);
    const servers = [server.url];
    const web = await RemoteNode.start({ servers, node: "web-1", ...userOf("provider"), exports: { sla: ["run"] } });
    try {
      const front = await FrontBroker.start({
        servers,
        ...userOf("front"),
        imports: ["sla", "WebUI"],
        lostAfterMs: 300,
      });
      try {
        assert.deepEqual(await front.broker.call("sla", "run", [1, 0]), { key: 1, double: 2 });
        const hidden = await rejection(front.broker.call("sla", "echo", [1]));
        assert.ok(hidden instanceof UnknownCommandError && hidden.nearest === null);
        await new Promise((resolve) => setTimeout(resolve, 400));
        assert.ok(await rejection(front.broker.call("WebUI", "run")) instanceof UnknownModuleError);
      } finally {
        await front.broker.stop();
      }
      const other = await FrontBroker.start({ servers, ...userOf("other"), node: "other" });
      try {
        const denied = await rejection(other.broker.call("sla", "run", [1, 0], { timeoutMs: 30_000 }));
        assert.ok(denied instanceof ProcessGoneError);
        assert.match(
          denied.message,
          /does not permit this broker to publish to "brokkr\.test\.open\.sla\.[0-9a-f]+\.front"/,
        );
      } finally {
        await other.broker.stop();
      }
    } finally {
      await web[Symbol.asyncDispose]();
      await server.kill();
    }
  },
);

test("a broker without the right password goes on alone, and says why", OPTIONS, async () => {
  const server = await NatsServer.start(PERMISSIONS);
  process.env["CLUSTER_WRONG"] = "wrong";
  const auth = { userEnv: "CLUSTER_WRONG", passwordEnv: "CLUSTER_WRONG" };
  const front = await FrontBroker.start({ servers: [server.url], auth });
  try {
    assert.match(front.lines(/^cluster\.unreachable/)[0] ?? "", /Authorization Violation/i);
    assert.equal((await front.broker.status()).cluster?.state, "connecting");
  } finally {
    await front.broker.stop();
    await server.kill();
  }
});

test("a broker shows a token, an nkey or credentials", OPTIONS, async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-auth-"));
  try {
    process.env["CLUSTER_TOKEN"] = "s3cret";
    await joins("authorization { token: s3cret }", { auth: { tokenEnv: "CLUSTER_TOKEN" } });
    const nkey = join(folder, "nkey");
    writeFileSync(nkey, `${KEYS.nkeySeed}\n`);
    await joins(`authorization { users = [ { nkey: ${KEYS.nkeyPublic} } ] }`, { auth: { nkey } });
    const creds = join(folder, "b.creds");
    writeFileSync(creds, CREDS);
    await joins(RESOLVER, { auth: { creds } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("TLS with a CA of one's own: verified, also where the server wants a certificate", {
  ...OPTIONS,
  skip: SKIP || NO_OPENSSL,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-tls-"));
  const path = (name: string) => join(folder, name);
  try {
    certificates(folder);
    const { ca, cert, key } = { ca: path("ca.pem"), cert: path("client.pem"), key: path("client.key") };
    const tls = `cert_file: "${path("server.pem")}", key_file: "${path("server.key")}", ca_file: "${ca}"`;
    await joins(`tls { ${tls} }`, { tls: { ca } });
    await joins(`tls { ${tls}, verify: true }`, { tls: { ca, cert, key } });
    await fails(`tls { ${tls}, verify: true }`, { tls: { ca } }, /./);
    copyFileSync(path("other.pem"), path("wrong.pem"));
    await fails(`tls { ${tls} }`, { tls: { ca: path("wrong.pem") } }, /certificate|signed|UnknownIssuer|issuer/i);
    // One that speaks no TLS is no server for a broker that wants it.
    await fails("", { tls: { ca } }, /tls/i);
    await fails("", {}, /tls/i, (url) => url.replace("nats:", "tls:"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test(
  "a certificate that expires or is replaced while the broker runs is named, ends nothing, and its successor is read",
  {
    ...OPTIONS,
    skip: SKIP || NO_OPENSSL,
  },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "brokkr-tls-"));
    const path = (name: string) => join(folder, name);
    const use = (name: string) =>
      ["pem", "key"].forEach((end) => copyFileSync(path(`${name}.${end}`), path(`own.${end}`)));
    try {
      certificates(folder);
      use("client");
      const tls = { ca: path("ca.pem"), cert: path("own.pem"), key: path("own.key") };
      const files = `cert_file: "${path("server.pem")}", key_file: "${path("server.key")}", ca_file: "${tls.ca}"`;
      const server = await NatsServer.start(`tls { ${files}, verify: true }`);
      const front = await FrontBroker.start({ servers: [server.url], imports: [], tls });
      const until = async (state: RegExp) => {
        for (let turn = 0; turn < 600 && !state.test(front.lines(/^cluster\./).at(-1) ?? ""); turn++) await pause(50);
        assert.match(front.lines(/^cluster\./).at(-1) ?? "", state);
      };
      try {
        await until(/Joined cluster/);
        use("other");
        await server.kill();
        await server.restart();
        await until(
          /Cannot connect to cluster test, it is tried again: .*(BadCertificate|bad certificate|BAD_CERTIFICATE)/i,
        );
        use("client");
        await until(/Connected again to/);
      } finally {
        await front.broker.stop();
        await server.kill();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

type Settings = Partial<Parameters<typeof FrontBroker.start>[0]>;

async function joins(config: string, settings: Settings): Promise<void> {
  const server = await NatsServer.start(config);
  const front = await FrontBroker.start({ servers: [server.url], imports: [], ...settings });
  try {
    let { cluster } = await front.broker.status();
    // On a busy machine the first try may be too slow.
    for (let waited = 0; cluster?.state !== "joined" && waited < 30_000; waited += 100) {
      await pause(100);
      ({ cluster } = await front.broker.status());
    }
    assert.equal(cluster?.state, "joined", `${JSON.stringify(settings)}: ${cluster?.reason}\n${server.log}`);
  } finally {
    await front.broker.stop();
    await server.kill();
  }
}

async function fails(
  config: string,
  settings: Settings,
  reason: RegExp,
  address: (url: string) => string = (url) => url,
): Promise<void> {
  const server = await NatsServer.start(config);
  const front = await FrontBroker.start({ servers: [address(server.url)], imports: [], ...settings });
  try {
    const { cluster } = await front.broker.status();
    assert.equal(cluster?.state, "connecting");
    assert.match(cluster?.reason ?? "", reason);
  } finally {
    await front.broker.stop();
    await server.kill();
  }
}

/** Of a CA, a server at 127.0.0.1, a client, and another CA. */
function certificates(folder: string): void {
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  const key = (name: string) => openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);
  for (const name of ["ca", "other"]) {
    key(name);
    openssl("req", "-x509", "-new", "-key", `${name}.key`, "-days", "2", "-subj", `/CN=${name}`, "-out", `${name}.pem`);
  }
  writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  for (const name of ["server", "client"]) {
    key(name);
    openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.pem`);
  }
}
