/**
 * What `brokkr init` writes. No file imports a package, so that they run wherever they are.
 *
 * @module
 */

// The npm build looks for imports at the beginning of lines: those of the texts stand further in.

export type Language = "js" | "ts";

export interface FirstFile {
  readonly name: string;
  readonly text: string;
}

export interface FirstFilesOptions {
  /** Name of the broker. */
  readonly broker: string;
  /** Where the configuration's schema is, or null. */
  readonly schema: string | null;
  readonly language: Language;
  /** Whose test runner the test is for. */
  readonly runtime: "deno" | "node" | "bun" | "binary";
}

/** The module, its test, the configuration. */
export function firstFiles({ broker, schema, language, runtime }: FirstFilesOptions): FirstFile[] {
  // Node takes .js for CommonJS where no package.json says otherwise.
  const ending = runtime === "node" ? `m${language}` : language === "js" ? "mjs" : "ts";
  const module = `hello.${ending}`;
  const config = {
    ...(schema === null ? {} : { $schema: schema }),
    name: broker,
    modules: { hello: { path: `./${module}` } },
  };
  return [
    { name: module, text: language === "ts" ? MODULE : withoutTypes(MODULE) },
    { name: `hello.test.${ending}`, text: runtime === "binary" ? program(module) : test(module) },
    { name: "brokkr.json", text: `${JSON.stringify(config, null, 2)}\n` },
  ];
}

const MODULE = `// A module: commands that run in a process of their own. Try: brokkr call hello greet world
export default {
  name: "hello",
  commands: {
    greet: (name: string) => \`Hello \${name}\`,
    count_words: (text: string) => text.split(/\\s+/).filter((word) => word !== "").length,
  },
};
`;

function withoutTypes(text: string): string {
  return text.replaceAll(": string", "");
}

function test(module: string): string {
  return lines([
    'import assert from "node:assert/strict";',
    'import { test } from "node:test";',
    `import hello from "./${module}";`,
    "",
    'test("greet greets by name", () => {',
    '  assert.equal(hello.commands.greet("world"), "Hello world");',
    "});",
    "",
    'test("count_words counts words", () => {',
    '  assert.equal(hello.commands.count_words(" one  two "), 2);',
    "});",
  ]);
}

/** A program that ends with exit code 0, or with the error. */
function program(module: string): string {
  return lines([
    'import assert from "node:assert/strict";',
    'import { Broker, defineModule } from "brokkr";',
    `import definition from "./${module}";`,
    "",
    "const hello = defineModule(definition);",
    'const broker = await Broker.start({ name: "hello-test", modules: [hello], logLevel: "warning" });',
    "try {",
    '  assert.equal(await broker.call(hello, "greet", ["world"]), "Hello world");',
    '  assert.equal(await broker.call(hello, "count_words", [" one  two "]), 2);',
    '  console.log("ok");',
    "} finally {",
    "  await broker.stop();",
    "}",
  ]);
}

function lines(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
