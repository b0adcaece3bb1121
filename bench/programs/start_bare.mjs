// A child that only echoes: `fork` and `send` in Node and Bun, a unix socket with nothing but Deno's own functions in Deno.

const isDeno = "Deno" in globalThis;
const isChild = isDeno ? Deno.env.has("BENCH_SOCKET") : process.send !== undefined;
if (isChild) await (isDeno ? echoOnSocket() : process.on("message", (message) => process.send(message)));
else console.log(JSON.stringify(await (isDeno ? measureSocket() : measureFork())));
if (!isChild && !isDeno) process.exit(0);

async function measureFork() {
  const [{ fork }, { fileURLToPath }] = await Promise.all([import("node:child_process"), import("node:url")]);
  const program = fileURLToPath(import.meta.url);
  const start = performance.now();
  const child = fork(program);
  await new Promise((resolve) => {
    child.once("message", resolve);
    child.send({ id: 1 });
  });
  const ms = performance.now() - start;
  const { atRest } = await import("./at_rest.mjs");
  const rest = await atRest(child.pid);
  child.kill("SIGKILL");
  return { ms, ...rest };
}

async function measureSocket() {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/s`;
  const listener = Deno.listen({ transport: "unix", path });
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.url],
    env: { BENCH_SOCKET: path },
    stdin: "null",
  }).spawn();
  const conn = await listener.accept();
  await conn.write(new TextEncoder().encode('{"id":1}'));
  await conn.read(new Uint8Array(1024));
  const ms = performance.now() - start;
  const { atRest } = await import("./at_rest.mjs");
  const rest = await atRest(child.pid);
  child.kill("SIGKILL");
  await child.status;
  Deno.removeSync(folder, { recursive: true });
  return { ms, ...rest };
}

async function echoOnSocket() {
  const conn = await Deno.connect({ transport: "unix", path: Deno.env.get("BENCH_SOCKET") });
  const buffer = new Uint8Array(64 * 1024);
  for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
    const message = JSON.parse(new TextDecoder().decode(buffer.subarray(0, length)));
    await conn.write(new TextEncoder().encode(JSON.stringify(message)));
  }
}
