import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inThisRuntime, ROOT, run } from "./command.ts";
import { shownOutput } from "./readme.ts";

test("the monitoring example prints what its README shows", async () => {
  const program = join(ROOT, "examples/monitoring/main.ts");
  const { code, stdout, stderr } = await run(inThisRuntime(program));
  assert.equal(code, 0, stderr);
  assert.equal(stdout, await shownOutput("monitoring"));
  assert.match(stderr, / The broker is ready after .* \(modules: 2, failed: 0\)\n/);
  assert.match(stderr, / The broker stopped in /);
});
