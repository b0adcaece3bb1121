import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { brokerConfig, inSandbox, type Sandbox } from "./cli_process.ts";

test("the control socket and its folder are open to their owner alone", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    assert.equal(statSync(sandbox.sockets).mode & 0o777, 0o700);
    assert.equal(statSync(join(sandbox.sockets, "cli-test.sock")).mode & 0o077, 0);
  }));

test("brokkr refuses a folder of sockets that others may enter", () =>
  inSandbox(async (sandbox) => {
    mkdirSync(sandbox.sockets);
    chmodSync(sandbox.sockets, 0o755);
    const text = `Cannot use folder "${sandbox.sockets}" for control sockets: other users may enter it, ` +
      `its mode is 0755 and should be 0700, run: chmod 700 ${sandbox.sockets}\n`;
    const outcomes = [await sandbox.run(["run", brokerConfig]), await sandbox.run(["status"])];
    assert.deepEqual(outcomes.map(({ stderr }) => stderr), [text, text]);
    assert.deepEqual(outcomes.map(({ code }) => code), [2, 2]);
    assert.deepEqual(sandbox.liveFiles(), []);
  }));

test("brokkr follows no link in place of the folder of sockets", () =>
  inSandbox(async (sandbox) => {
    const elsewhere = join(sandbox.folder, "elsewhere");
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, sandbox.sockets);
    const { code, stderr } = await sandbox.run(["run", brokerConfig]);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      `Cannot use folder "${sandbox.sockets}" for control sockets: ` +
        "it is a file or a link and should be a folder, remove it\n",
    );
    assert.deepEqual(readdirSync(elsewhere), []);
  }));

test("brokkr run replaces a file that stands where its socket belongs", () =>
  inSandbox(async (sandbox) => {
    mkdirSync(sandbox.sockets, { mode: 0o700 });
    writeFileSync(join(sandbox.sockets, "cli-test.sock"), "no socket");
    await sandbox.broker();
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
    assert.deepEqual(sandbox.liveFiles(), ["cli-test.sock", "cli-test….tree"]);
  }));

test("of brokers that start at once with one name, exactly one runs", () =>
  inSandbox(async (sandbox) => {
    const dead = await sandbox.broker();
    dead.kill("SIGKILL");
    await dead.ended;
    const started = Array.from({ length: 4 }, () => sandbox.start(["run", brokerConfig]));
    const refused = new Map<unknown, number | null>();
    await new Promise<void>((resolve) => {
      for (const process of started) {
        void process.ended.then(({ code }) => {
          refused.set(process, code);
          if (refused.size === started.length - 1) resolve();
        });
      }
    });
    assert.deepEqual([...refused.values()], [2, 2, 2]);
    const [winner] = started.filter((process) => !refused.has(process));
    await winner?.printed("stderr", "The broker is ready");
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
  }));

test("clients that send nothing, half a frame or a huge one harm nobody", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    const sockets: Socket[] = [];
    try {
      for (let count = 0; count < 300; count++) sockets.push(await connect(sandbox));
      const [half, huge, noise, early] = sockets.slice(-4);
      half?.write(new Uint8Array([0x62, 0x6b, 1]));
      noise?.write("GET / HTTP/1.1\r\n\r\n");
      huge?.write(new Uint8Array([0x62, 0x6b, 1, 0, 0x40, 0, 0, 0]));
      const frame = new TextEncoder().encode("bk\x02\0\0\0\0\x0219");
      early?.write(frame);
      await Promise.all([noise, huge].map((socket) => new Promise((resolve) => socket?.once("close", resolve))));
      assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
      assert.equal((await sandbox.run(["stop"])).code, 0);
      assert.equal((await broker.ended).code, 0);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  }));

test("a client of another protocol is refused with both versions", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    const socket = await connect(sandbox);
    let answer = "";
    socket.on("data", (chunk) => answer += chunk.toString("latin1"));
    const body = JSON.stringify({ protocol: 99, version: "9.9.9" });
    socket.write(new Uint8Array([0x62, 0x6b, 1, 0, 0, 0, 0, body.length]));
    socket.write(body);
    await new Promise((resolve) => socket.once("close", resolve));
    assert.ok(answer.startsWith("bk\x01") && answer.includes('"broker":"cli-test"'), answer);
    assert.match(answer, /it speaks protocol 99 \(brokkr 9\.9\.9\) and this is protocol 1 \(brokkr \d/);
  }));

async function connect(sandbox: Sandbox): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = createConnection({ path: join(sandbox.sockets, "cli-test.sock") });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // What the broker cuts off.
      socket.on("error", () => {});
      socket.resume();
      resolve(socket);
    });
  });
}
