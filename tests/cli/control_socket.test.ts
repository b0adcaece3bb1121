import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { frame } from "../core/frames.ts";
import { makeReadOnly, onDisk, whyNoDisk } from "./disk.ts";
import { brokerConfig, inSandbox, type Sandbox } from "./cli_process.ts";

const OTHER_USER = 65_534;
const noOther = whyNoOther();

const noDisk = whyNoDisk();

test("the control socket and its folder are open to their owner alone", () =>
  inSandbox(async (sandbox) => {
    await sandbox.broker();
    assert.equal(statSync(sandbox.sockets).mode & 0o777, 0o700);
    assert.equal(statSync(join(sandbox.sockets, "cli-test.sock")).mode & 0o077, 0);
  }));

test("the folder and the socket are private from the start, whatever the mask is", () =>
  inSandbox(async (sandbox) => {
    const mask = process.umask(0);
    try {
      const broker = sandbox.start(["run", brokerConfig]);
      const seen = new Set<string>();
      // From before they exist, each mode that they ever have.
      while (!broker.stderr.includes("The broker is ready") && broker.child.exitCode === null) {
        for (const path of [sandbox.sockets, join(sandbox.sockets, "cli-test.sock")]) seen.add(modeOf(path));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual([...seen].filter((mode) => mode !== "none").sort(), ["0600", "0700"]);
    } finally {
      process.umask(mask);
    }
  }));

test("another user can neither enter the folder nor open the socket, and no folder of theirs is used", {
  skip: noOther,
}, () =>
  inSandbox(async (sandbox) => {
    const socket = join(sandbox.sockets, "cli-test.sock");
    await sandbox.broker();
    for (const folder of [sandbox.folder, sandbox.runtimeFolder]) chmodSync(folder, 0o755);
    assert.equal(asOther(socket), "Permission denied");
    // What is left where the folder is opened by mistake.
    chmodSync(sandbox.sockets, 0o755);
    assert.equal(asOther(socket), "Permission denied");
    chmodSync(sandbox.sockets, 0o700);
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");

    const squatted = join(sandbox.folder, "brokkr-0");
    mkdirSync(squatted, { mode: 0o700 });
    chownSync(squatted, OTHER_USER, OTHER_USER);
    const env = { XDG_RUNTIME_DIR: "", TMPDIR: sandbox.folder };
    const { code, stderr } = await sandbox.run(["run", brokerConfig], { env });
    assert.deepEqual([code, stderr], [
      2,
      `Cannot use folder "${squatted}" for control sockets: it belongs to user ${OTHER_USER} and should belong to ` +
      "user 0, remove it or set XDG_RUNTIME_DIR\n",
    ]);
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

test(
  "brokkr run says what is wrong where nothing can be written in the folder for its sockets",
  { skip: noDisk },
  () =>
    inSandbox((sandbox) =>
      onDisk(join(sandbox.folder, "disk"), async (disk) => {
        makeReadOnly(disk);
        for (const env of [{ XDG_RUNTIME_DIR: "", TMPDIR: disk }, { XDG_RUNTIME_DIR: disk }]) {
          const { code, stdout, stderr } = await sandbox.run(["run", brokerConfig], { env });
          assert.deepEqual([code, stdout, stderr], [
            2,
            "",
            `Cannot make a folder for control sockets in "${disk}": EROFS, set XDG_RUNTIME_DIR to a folder of this user ` +
            "that can be written in, such as one on a tmpfs\n",
          ]);
        }
      })
    ),
);

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

test("a live broker that takes no more connections keeps its name", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    const waiting: Socket[] = [];
    try {
      broker.kill("SIGSTOP");
      // Until its queue is full.
      while (waiting.length < 10_000 && await tryConnect(sandbox, waiting));
      const second = await sandbox.run(["run", brokerConfig]);
      assert.equal(second.code, 2);
      assert.match(second.stderr, /^Cannot start broker "cli-test": a broker of this name runs already, /);
    } finally {
      for (const socket of waiting) socket.destroy();
      broker.kill("SIGCONT");
    }
    while ((await sandbox.run(["call", "sla", "greet", "you"])).stdout !== "Hello you\n");
  }));

test("clients that send nothing, half a frame or a huge one harm nobody", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    const sockets: Socket[] = [];
    try {
      // A busy broker's queue may be full for a moment.
      while (sockets.length < 1_000) {
        if (!await tryConnect(sandbox, sockets)) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const [half, huge, noise, early] = sockets.slice(-4);
      half?.write(new Uint8Array([0x62, 0x6b, 1]));
      noise?.write("GET / HTTP/1.1\r\n\r\n");
      huge?.write(new Uint8Array([0x62, 0x6b, 1, 0, 0x40, 0, 0, 0]));
      const frame = new TextEncoder().encode("bk\x02\0\0\0\0\x0219");
      early?.write(frame);
      await Promise.all([noise, huge].map((socket) => new Promise((resolve) => socket?.once("close", resolve))));
      assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
      assert.equal((await sandbox.run(["stop"])).code, 0);
      const { code, stderr } = await broker.ended;
      assert.equal(code, 0);
      const dropped = stderr.split("\n").filter((line) => line.includes("a client of the control socket: dropped"));
      assert.deepEqual(dropped.map((line) => line.slice(line.indexOf("dropped"))).toSorted(), [
        "dropped 1 connection (Cannot read frame: it does not begin with the bytes 62 6b)",
        "dropped 1 connection (Cannot read frame: its length is 1073741824 and the limit is 1114112)",
        "dropped 1 frame (a frame came before the hello: 19)",
      ]);
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

test("a client that calls and reads no answers is cut off, and others are served", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker();
    const socket = await connect(sandbox);
    let isClosed = false;
    socket.once("close", () => isClosed = true);
    socket.pause();
    socket.write(frame(1, JSON.stringify({ protocol: 1, version: "0.1.0" })));
    for (let first = 1; !isClosed && first < 1_000_000; first += 1_000) {
      const ids = Array.from({ length: 1_000 }, (_, index) => first + index);
      const columns = [1, ids, 0, ids.map(() => "dance"), ids.map(() => []), 0];
      await new Promise((resolve) => socket.write(frame(2, JSON.stringify(columns)), resolve));
    }
    assert.equal(isClosed || socket.errored !== null, true);
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).stdout, "Hello you\n");
    await broker.printed("stderr", "dropped 1 connection (the peer calls and does not read its answers)");
  }));

function modeOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? "none" : (stats.mode & 0o777).toString(8).padStart(4, "0");
}

/** What another user is told who opens the socket. */
function asOther(socket: string): string {
  const user = [`--reuid=${OTHER_USER}`, `--regid=${OTHER_USER}`, "--clear-groups"];
  const script = "socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, sockaddr_un($ARGV[0])) ? 'connected' : $!";
  const { stdout, stderr } = spawnSync("setpriv", [...user, "perl", "-MSocket", "-e", script, socket], {
    encoding: "utf8",
    cwd: "/",
    env: { ...process.env, LC_ALL: "C" },
  });
  return stdout + stderr;
}

/** Why there can be no other user here, or false. */
function whyNoOther(): string | false {
  if (process.getuid?.() !== 0) return "only root can become another user";
  const { status } = spawnSync("setpriv", [
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "perl",
    "-MSocket",
    "-e",
    "1",
  ]);
  return status === 0 ? false : "setpriv and perl are not both here";
}

/** Adds a connection to `sockets`; false where the broker takes no more. */
async function tryConnect(sandbox: Sandbox, sockets: Socket[]): Promise<boolean> {
  return await connect(sandbox).then((socket) => sockets.push(socket) > 0, () => false);
}

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
