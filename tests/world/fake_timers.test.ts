import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { installed, projectOf, result } from "./installed.ts";

const DEADLINE = { timeout: 5 * 60_000 };

/** The fake timers that Jest and Vitest have. With `nextTick` of theirs Node itself stands still: Vitest leaves it as it is. */
const LIBRARY = "@sinonjs/fake-timers@15.0.0";

const FAKED = [
  ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"],
  ...["Date", "performance", "hrtime", "queueMicrotask"],
];

for (const order of ["before", "after"] as const) {
  test(`a call times out with fake timers that were installed ${order} brokkr was loaded`, DEADLINE, async () => {
    await installed(LIBRARY, "none");
    const load = 'const { Broker, defineModule } = await import("brokkr");\n';
    const install = `import { createRequire } from "node:module";
const FakeTimers = createRequire(${
      JSON.stringify(join(Deno.cwd(), "build/world", LIBRARY, "x.js"))
    })("@sinonjs/fake-timers");
const fake = () => process.env.BROKKR_ROLE === undefined ? FakeTimers.install({ toFake: ${
      JSON.stringify(FAKED)
    } }) : undefined;
`;
    const folder = await projectOf(`fake-timers-${order}`, {
      "main.mjs": `${install}${order === "before" ? `const clock = fake();\n${load}` : `${load}const clock = fake();\n`}
const hung = defineModule({ name: "hung", commands: { hang: () => new Promise(() => {}), echo: (value) => value } });
const broker = await Broker.start({ name: "b", modules: [hung], log: () => {} });
console.log(await broker.call(hung, "echo", ["answered"], { timeoutMs: 30_000 }));
console.log(await broker.call(hung, "hang", [], { timeoutMs: 50 }).catch((error) => error.code));
clock.uninstall();
console.log(await broker.call(hung, "hang", [], { timeoutMs: 50 }).catch((error) => error.code));
await broker.stop();
`,
    });
    for (const runtime of [["node"], [Deno.execPath(), "run", "-A"]]) {
      const { stdout, output } = await result([...runtime, "main.mjs"], folder);
      assert.equal(stdout, "answered\nTIMEOUT\nTIMEOUT\n", output);
    }
  });
}
