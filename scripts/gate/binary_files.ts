/** What a user of the binary may have: modules in two languages, a package of their own with conditions and subpaths, a program. */

import { dirname, join } from "node:path";

export const MAIN_TS = "main.ts";
/** A unit test, of a module that takes the library as CommonJS. */
export const TEST_TS = "shout.test.ts";
/** A broker whose processes load a module of much memory, and release it. */
export const CLEANED_JSON = "cleaned.json";
/** The least that they give back. */
export const RELEASED_BYTES = 16 * 1024 * 1024;
export const USERS_MODULES = ["typed", "plain", "given"];

const FILES: Readonly<Record<string, string>> = {
  "node_modules/units/package.json": JSON.stringify({
    name: "units",
    version: "1.0.0",
    exports: {
      ".": { require: "./main.cjs", import: "./main.mjs" },
      "./sub/*": { import: "./inner/*.mjs", default: "./inner/none.mjs" },
    },
  }),
  "node_modules/units/main.cjs": 'module.exports = { main: "require main" };\n',
  "node_modules/units/main.mjs": 'export const main = "import main";\n',
  "node_modules/units/inner/length.mjs": 'export const sub = "import sub";\n',

  "typed.ts": `import { defineModule } from "brokkr";
import { main } from "units";
import { sub } from "units/sub/length";

interface Reading { readonly texts: readonly string[] }
const reading: Reading = { texts: [main, sub, typeof defineModule] };
export const typed = defineModule({ name: "typed", commands: { units: (): string => reading.texts.join(", ") } });
`,
  "plain.js": `import { defineModule } from "brokkr";
import { main } from "units";
import { sub } from "units/sub/length";

export default { name: "plain", commands: { units: () => [main, sub, typeof defineModule].join(", ") } };
`,
  "given.mjs": `import { main } from "units";
export default async ({ defineModule }) => {
  const { sub } = await import("units/sub/length");
  return defineModule({ name: "given", commands: { units: () => [main, sub, typeof defineModule].join(", ") } });
};
`,
  "brokkr.json": JSON.stringify({
    name: "users",
    modules: { typed: { path: "typed.ts" }, plain: { path: "./plain.js" }, given: { path: "given.mjs" } },
  }),

  "shout.cjs": `const { defineModule } = require("brokkr");
exports.shout = defineModule({ name: "shout", commands: { shout: (text) => text.toUpperCase() } });
`,
  [TEST_TS]: `import { nats } from "brokkr/nats";
import { startBroker } from "brokkr/testing";
import { shout } from "./shout.cjs";

await using broker = await startBroker({ modules: [shout] });
console.log(await broker.call(shout, "shout", ["hello"]), typeof nats);
`,

  "large.mjs": `const held = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
export default { name: "large", commands: { size: () => held.length }, afterForkCleanup: () => void (held.length = 0) };
`,
  "small.mjs": `export default {
  name: "small",
  commands: {
    fail() {
      const error = new Error("failed");
      throw error;
    },
  },
};
`,
  [CLEANED_JSON]: JSON.stringify({
    name: "cleaned",
    load: "all",
    modules: { large: { path: "large.mjs" }, small: { path: "small.mjs" } },
  }),

  [MAIN_TS]: `import process from "node:process";
import { Broker, defineModule } from "brokkr";

const hello = defineModule({
  name: "hello",
  commands: { greet: (name: string) => \`Hello \${name}\`, pid: () => process.pid },
});
const broker = await Broker.start({ name: "program", modules: [hello], logLevel: "error" });
console.log(await broker.call(hello, "greet", ["world"]));
console.log("another process:", await broker.call(hello, "pid") !== process.pid);
await broker.stop();
`,
};

export async function writeUsersFiles(folder: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}
