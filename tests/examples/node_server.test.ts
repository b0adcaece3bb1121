import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inThisRuntime, ROOT, start } from "./command.ts";

const SERVER = join(ROOT, "examples/node-server/server.mjs");

test("the server example answers from workers, maps errors to statuses and stops in good order", async () => {
  await using server = start(inThisRuntime(SERVER), { env: { PORT: "0" } });
  const [, address = ""] = await server.printed(/^(http:\S+) is ready$/m);
  const get = async (path: string) => {
    const response = await fetch(`${address}${path}`);
    const body: unknown = await response.json();
    return { status: response.status, body };
  };

  const many = await Promise.all(Array.from({ length: 8 }, () => get("/primes?below=100000")));
  for (const answer of many) assert.deepEqual(answer, { status: 200, body: { primes: 9592 } });

  assert.deepEqual(await get("/primes?below=many"), {
    status: 400,
    body: { error: "below must be a whole number, and it is NaN", code: "REMOTE" },
  });
  assert.deepEqual(await get("/nothing"), { status: 404, body: { error: "no such page" } });

  const crashed = await get("/crash");
  assert.equal(crashed.status, 503);
  assert.match(JSON.stringify(crashed.body), /process exited with code 3/);
  assert.deepEqual(await get("/primes?below=10"), { status: 200, body: { primes: 4 } });
  assert.deepEqual(await get("/health"), {
    status: 200,
    body: { modules: [{ name: "numbers", state: "ready", restarts: 1 }] },
  });

  server.signal("SIGTERM");
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.match(stdout, /stopped in good order\n$/);
});
