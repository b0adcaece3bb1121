import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../../src/cli/config/document.ts";
import { readConfig } from "../../src/cli/config/read_config.ts";
import { faultsOf, inFolder, runtime } from "./config_faults.ts";

test("readConfig() refuses a file that is no configuration's", () =>
  inFolder(async (folder) => {
    const refused = async (name: string) => {
      const error = await readConfig(join(folder, name), runtime).then(() => null, (error) => error);
      assert.ok(error instanceof ConfigError);
      return error.message.replace(`${folder}/`, "");
    };
    mkdirSync(join(folder, "folder.json"));
    writeFileSync(join(folder, "large.json"), new Uint8Array(1024 * 1024 + 1));
    writeFileSync(join(folder, "huge.json"), "{");
    truncateSync(join(folder, "huge.json"), 100_000_000);
    assert.equal(await refused("none.json"), "none.json: it does not exist, correct its path");
    assert.equal(await refused("folder.json"), "folder.json: it is a folder and should be a configuration file");
    assert.equal(
      await refused("large.json"),
      "large.json: it has 1048577 bytes and may have 1048576, name a configuration",
    );
    assert.equal(
      await refused("huge.json"),
      "huge.json: it has 100000000 bytes and may have 1048576, name a configuration",
    );
  }));

test("readConfig() keeps module files within the configuration's folder", () =>
  inFolder(async (folder) => {
    const inner = join(folder, "inner");
    mkdirSync(inner);
    symlinkSync(join(folder, "a.js"), join(inner, "link.js"));
    const file = join(inner, "brokkr.json");
    const refused = async (path: string) => {
      writeFileSync(file, JSON.stringify({ name: "b", modules: { a: { path } } }));
      const error = await readConfig(file, runtime).then(() => null, (error) => error);
      assert.ok(error instanceof ConfigError);
      assert.ok(error.message.startsWith(`${file}:1:36: modules.a.path `), error.message);
      return error.message.slice(`${file}:1:36: modules.a.path `.length).replaceAll(folder, "FOLDER");
    };
    const outside = "must be in the configuration's folder, and it is \"";
    assert.equal(await refused("../a.js"), `${outside}../a.js" ("FOLDER/a.js")`);
    assert.equal(await refused("/etc/passwd"), `${outside}/etc/passwd" ("/etc/passwd")`);
    assert.equal(await refused("link.js"), `${outside}link.js" ("FOLDER/a.js")`);
    assert.equal(await refused("."), `${outside}." ("FOLDER/inner")`);
    assert.equal(await refused("https://a.b/c.js"), 'must be a path and not a URL, and it is "https://a.b/c.js"');
    assert.equal(
      await refused("data:text/javascript,1"),
      'must be a path and not a URL, and it is "data:text/javascript,1"',
    );
    assert.equal(await refused("a\0.js"), 'must be the path of the module\'s file, and it is "a\\u0000.js"');
    assert.equal(
      await refused("none.js"),
      '"none.js" does not exist ("FOLDER/inner/none.js"), correct it or write the file',
    );
    assert.equal(
      await refused("brokkr.json/a.js"),
      '"brokkr.json/a.js" does not exist ("FOLDER/inner/brokkr.json/a.js"), correct it or write the file',
    );
  }));

test("readConfig() takes the path of a package, and a workspace's package where it is linked into node_modules", () =>
  inFolder(async (folder) => {
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    put("packages/shop/module.ts", "");
    put("node_modules/plain/package.json", '{ "main": "./lib/main.js" }');
    put("node_modules/plain/lib/main.js", "");
    put("node_modules/plain/other.js", "");
    put("node_modules/short/package.json", '{ "main": "lib" }');
    put("node_modules/short/lib/index.js", "");
    const exports = {
      ".": { types: "./none.d.ts", require: "./none.cjs", import: "./index.js" },
      "./eu": ["./none.txt", "./regions/eu.js"].slice(1),
      "./reg*": "./none/*.js",
      "./regions/*": { deno: "./regions/*.js", node: "./regions/*.js", bun: "./regions/*.js" },
      "./regions/private/*": null,
    };
    put("node_modules/exports/package.json", JSON.stringify({ exports }));
    for (const file of ["index.js", "regions/eu.js"]) put(`node_modules/exports/${file}`, "");
    mkdirSync(join(folder, "node_modules/@acme"));
    symlinkSync("../../packages/shop", join(folder, "node_modules/@acme/shop"));
    mkdirSync(join(folder, "app/plain"), { recursive: true });
    const file = join(folder, "app/brokkr.json");
    const led = async (path: string) => {
      writeFileSync(file, JSON.stringify({ name: "b", modules: { a: { path } } }));
      // What this runtime can load is tried elsewhere.
      const config = await readConfig(file, { ...runtime, name: "deno" }).catch((error) => error);
      if (config instanceof Error) {
        return config.message.slice(`${file}:1:36: modules.a.path `.length).replaceAll(folder, "FOLDER");
      }
      const [module] = config.modules;
      return fileURLToPath(module.url).replace(realpathSync(folder), "FOLDER");
    };
    assert.equal(await led("@acme/shop/module.ts"), "FOLDER/packages/shop/module.ts");
    assert.equal(await led("plain"), "FOLDER/node_modules/plain/lib/main.js");
    assert.equal(await led("plain/other.js"), "FOLDER/node_modules/plain/other.js");
    assert.equal(await led("short"), "FOLDER/node_modules/short/lib/index.js");
    assert.equal(await led("exports"), "FOLDER/node_modules/exports/index.js");
    assert.equal(await led("exports/eu"), "FOLDER/node_modules/exports/regions/eu.js");
    assert.equal(await led("exports/regions/eu"), "FOLDER/node_modules/exports/regions/eu.js");
    const neither = (path: string) =>
      `"${path}" is neither a file ("FOLDER/app/${path}") nor exported by a package in node_modules, ` +
      "correct it or install the package";
    assert.equal(await led("exports/us"), neither("exports/us"));
    assert.equal(await led("exports/regions/private/eu"), neither("exports/regions/private/eu"));
    assert.equal(await led("@acme/stock"), neither("@acme/stock"));
    assert.equal(
      await led("plain/../../a.js"),
      'must be in the configuration\'s folder, and it is "plain/../../a.js" ("FOLDER/a.js")',
    );
  }));

test("readConfig() takes programs of other languages, whose paths are those of the configuration's folder", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "brokkr.json");
    const program = { command: ["./bin/server", "./a.txt"], protocol: "mcp", initialize: { a: 1 }, queue: 3 };
    const plain = { command: ["python3", "prices.py"], framing: "content-length", cwd: "sub", env: ["TOKEN"] };
    writeFileSync(file, JSON.stringify({ name: "b", modules: { program, plain } }));
    const { modules } = await readConfig(file, runtime);
    assert.deepEqual(modules, [
      {
        name: "program",
        program: {
          name: "program",
          command: [join(folder, "bin/server"), "./a.txt"],
          protocol: "mcp",
          initialize: { a: 1 },
        },
        place: { file, line: 1, column: 45 },
        settings: { queue: 3, cwd: folder },
      },
      {
        name: "plain",
        program: {
          name: "plain",
          command: ["python3", "prices.py"],
          protocol: "json-rpc",
          framing: "content-length",
        },
        place: { file, line: 1, column: 140 },
        settings: { env: ["TOKEN"], cwd: join(folder, "sub") },
      },
    ]);
  });
});

test("readConfig() says where a program of another language contradicts itself, once and with the remedy", async () => {
  const faults = async (module: string) => await faultsOf(`{"name":"b","modules":{"a":{${module}}}}`);
  const remedy = 'keep "path" for a module in JavaScript, or "command" for a program in another language';
  assert.deepEqual(await faults('"command":["x"],"path":"a.js","workers":2'), [
    `brokkr.json:1:45: "path" and "command" contradict each other: ${remedy}`,
  ]);
  assert.deepEqual(await faults('"path":"a.js","command":["x"]'), [
    `brokkr.json:1:43: "path" and "command" contradict each other: ${remedy}`,
  ]);
  assert.deepEqual(await faults('"command":"npx","arg":["x"]'), [
    'brokkr.json:1:45: unknown key "arg": did you mean "args"',
  ]);
  assert.deepEqual(await faults('"command":["npx"],"args":["x"]'), [
    "brokkr.json:1:47: args is for a command that is the executable alone, add it to the list",
  ]);
  assert.deepEqual(await faults('"command":"","args":[5,""]'), [
    'brokkr.json:1:39: modules.a.command must be an executable, or a list of it and its arguments, and it is ""',
    "brokkr.json:1:50: modules.a.args.0 must be a text without NUL, and it is 5",
  ]);
  assert.deepEqual(await faults('"command":[]'), [
    "brokkr.json:1:39: modules.a.command must be an executable, or a list of it and its arguments, and it is a list",
  ]);
  assert.deepEqual(await faults('"command":["x"],"protocol":"mpc"'), [
    'brokkr.json:1:56: modules.a.protocol must be one of "json-rpc", "mcp", "lsp", "none", and it is "mpc"',
  ]);
  assert.deepEqual(await faults('"command":["x"],"protocol":"lsp","framing":"newline"'), [
    'brokkr.json:1:62: framing is set by protocol "lsp", remove it',
  ]);
  assert.deepEqual(await faults('"command":["x"],"initialize":{}'), [
    'brokkr.json:1:45: initialize is for protocol "mcp" or "lsp" only, set one of them or remove it',
  ]);
});
