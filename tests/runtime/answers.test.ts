import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { runtime } from "./started.ts";

for (
  const [what, credentials, sent] of [
    ["no name in it sends none", "", undefined],
    ["a name and a password in it sends them", "sl%40:p%C3%A4ss%3Aword@", "Basic c2xAOnDDpHNzOndvcmQ="],
    ["a password alone sends it", ":x@", "Basic Ong="],
  ] as const
) {
  test(`answers() of a URL that has ${what}`, async () => {
    const seen: unknown[] = [];
    const server = createServer(({ headers, url }, response) => {
      seen.push(url, headers.authorization);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = server.address();
      assert.ok(typeof address === "object" && address !== null);
      const at = `http://${credentials}127.0.0.1:${address.port}/up?a=1`;
      assert.equal(await runtime.answers({ kind: "http", at }, 2_000), true);
      assert.deepEqual(seen, ["/up?a=1", sent]);
    } finally {
      server.close();
    }
  });
}

test("answers() of a port that is none is false, and throws nothing", async () => {
  for (const at of ["127.0.0.1:65536", "127.0.0.1:0", "127.0.0.1:"]) {
    assert.equal(await runtime.answers({ kind: "tcp", at }, 2_000), false, at);
  }
});

test("answers() of what is no URL is not answered", async () => {
  assert.equal(await runtime.answers({ kind: "http", at: "http://[" }, 2_000), false);
});
