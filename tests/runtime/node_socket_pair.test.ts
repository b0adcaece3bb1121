import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { socketPair } from "../../src/runtime/node/spawn.ts";
import { inTemporaryFolder, receive, runtime, withStarted, withVariable } from "./started.ts";

const skip = runtime.name === "node" ? false : "Node's own: the others read into given memory anyway";

test("what is written at the other end is handed on in memory that is used again", { skip }, async () => {
  const chunks: { text: string; memory: unknown }[] = [];
  const pair = await socketPair((chunk) =>
    chunks.push({ text: new TextDecoder().decode(chunk), memory: chunk.buffer })
  );
  assert.ok(pair !== null);
  for (const text of ["one", "two"]) {
    pair.theirs.write(text);
    while (chunks.at(-1)?.text !== text) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(chunks[0]?.memory, chunks[1]?.memory);
  pair.ours.destroy();
  pair.theirs.destroy();
});

for (const [what, below] of [["is none", "none"], ["has too long a path", "x".repeat(120)]] as const) {
  test(`where the temporary folder ${what} there is no pair, and a process gets a pipe`, { skip }, async () => {
    await inTemporaryFolder(async (folder) => {
      if (below !== "none") mkdirSync(join(folder, below));
      await withVariable("TMPDIR", join(folder, below), async () => {
        assert.equal(await socketPair(() => {}), null);
        await withStarted({ mode: "echo" }, async (_process, channel) => {
          const received = receive(channel);
          channel.write(new Uint8Array(1_000));
          await received.until(({ bytes }) => bytes === 1_000);
        });
      });
    });
  });
}

test("nothing is left in the temporary folder", { skip }, async () => {
  await inTemporaryFolder(async (folder) => {
    const pair = await socketPair(() => {});
    assert.ok(pair !== null);
    assert.deepEqual(readdirSync(folder), []);
    pair.ours.destroy();
    pair.theirs.destroy();
  });
});
