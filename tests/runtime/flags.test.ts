import assert from "node:assert/strict";
import { test } from "node:test";
import * as deno from "../../src/runtime/deno/flags.ts";
import { sandboxedFlags } from "../../src/runtime/deno/sandbox.ts";
import * as bun from "../../src/runtime/bun/flags.ts";
import * as node from "../../src/runtime/builtins/flags.ts";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import process from "node:process";

/** Where this process was started, which relative paths are meant from. */
const HERE = process.cwd();

const COLLECTS = ["--no-code-cache", "--v8-flags=--expose-gc"];

test("Deno's flags are kept as they stand between `run` and the program", () => {
  assert.deepEqual(flags("deno run --allow-read=/a --config deno.json main.ts x --check"), [
    "--allow-read=/a",
    "--config",
    `${HERE}/deno.json`,
    ...COLLECTS,
  ]);
  assert.deepEqual(flags("deno -A --no-lock main.ts", 0), ["-A", "--no-lock", ...COLLECTS]);
  assert.deepEqual(flags("deno main.ts", 0), [...COLLECTS]);
});

test("Deno's flags that would debug, watch, check, reload or count again are dropped", () => {
  assert.deepEqual(
    flags(
      "deno run -Ar --inspect --inspect-brk=0 --watch=a --watch-hmr --check=all -r --reload=x --coverage=c --env-file=e -q main.ts",
      0,
    ),
    ["-A", "-q", ...COLLECTS],
  );
});

test("Deno's --v8-flags of the user are joined with what the garbage collector needs", () => {
  assert.deepEqual(flags("deno run --v8-flags=--max-old-space-size=99 main.ts", 0), [
    "--no-code-cache",
    "--v8-flags=--expose-gc,--max-old-space-size=99",
  ]);
});

test("Deno's flags are not looked for among the program's own arguments", () => {
  assert.deepEqual(flags("deno run main.ts --v8-flags=--random-seed=1 -A", 2), COLLECTS);
  assert.deepEqual(flags("deno serve --allow-net main.ts -A --v8-flags=--random-seed=1", 2), [
    "--allow-net",
    ...COLLECTS,
  ]);
});

test("Deno's process with the engine flags of its parent shares the compiled code that is kept", () => {
  const given = "deno run -A --v8-flags=--max-old-space-size=99,--expose-gc main.ts";
  assert.deepEqual(flags(given, 0), ["-A", "--v8-flags=--max-old-space-size=99,--expose-gc"]);
  assert.deepEqual(flags("deno run -A main.ts x y", 2, false), ["-A"]);
  assert.deepEqual(flags("deno run -A --v8-flags=--random-seed=1 main.ts", 0, false), [
    "-A",
    "--v8-flags=--random-seed=1",
  ]);
});

test("Deno's process with all rights reads what it imports later when it does", () => {
  const late = "--unstable-lazy-dynamic-imports";
  assert.deepEqual(deno.importingLate(["-A", "-q"]), ["-A", "-q", late]);
  assert.deepEqual(deno.importingLate(["--allow-all"]), ["--allow-all", late]);
  for (const flags of [["-A", late], ["--allow-read", "--allow-import"], ["-A", "--deny-read=/etc"], []]) {
    assert.deepEqual(deno.importingLate(flags), flags);
  }
});

test("Deno's flags of another subcommand are kept where they say rights or configuration", () => {
  assert.deepEqual(
    flags("deno test -A -c deno.json --parallel --filter x --unstable-kv --node-modules-dir=auto tests -- y", 1),
    ["-A", "-c", `${HERE}/deno.json`, "--unstable-kv", "--node-modules-dir=auto", ...COLLECTS],
  );
});

test("Deno's rights stand in where the command line can't be read", () => {
  const given = { commandLine: null, programArgs: 0, permissions: ["--allow-net"], collects: true };
  assert.deepEqual(deno.childFlags(given), ["--allow-net", ...COLLECTS]);
});

test("allowSocket() adds the socket to each list that stands in its way, once", () => {
  assert.deepEqual(deno.allowSocket(["-A"], "/s"), ["-A"]);
  assert.deepEqual(deno.allowSocket(["-RWN"], "/s"), ["-RWN"]);
  assert.deepEqual(deno.allowSocket([], "/s"), ["--allow-read=/s", "--allow-write=/s", "--allow-net=unix:/s"]);
  assert.deepEqual(deno.allowSocket(["--allow-read", "--allow-write=/a,/b", "-N=host"], "/s"), [
    "--allow-read",
    "--allow-write=/a,/b,/s",
    "-N=host,unix:/s",
  ]);
});

test("sandboxedFlags() drops every grant of the parent, keeps what it denies, and adds what is named and what brokkr needs", () => {
  const flags = [
    "-ARq",
    "--allow-net=a",
    "-R=/b",
    "--allow-all",
    "--permission-set",
    "-P=x",
    "--deny-net=c",
    "--config",
    "d",
    "--no-lock",
  ];
  const sandbox = { rights: { net: ["e:80"], run: true, env: [], sys: false }, files: ["file:///f%20g/h.ts"] };
  const confined = sandboxedFlags(flags, sandbox).map((flag) => flag.replace(/=\/.*?\/,/, "=OWN/,"));
  assert.deepEqual(confined, [
    "-q",
    "--deny-net=c",
    "--config",
    "d",
    "--no-lock",
    "--allow-net=e:80",
    "--no-remote",
    "--allow-read=OWN/,/f g/h.ts",
    "--allow-env=BROKKR_ROLE",
    "--allow-run",
  ]);
});

test("Node's flags that would debug, watch, test or evaluate again are dropped", () => {
  assert.deepEqual(
    node.childFlags([
      "--inspect=0",
      "--inspect-brk",
      "--watch",
      "--watch-path",
      "src",
      "--test",
      "--test-only",
      "-e",
      "1",
      "--no-warnings",
      "--import",
      "./a.js",
    ]),
    ["--no-warnings", "--import", pathToFileURL(join(HERE, "a.js")).href],
  );
});

test("Node's flags are dropped from NODE_OPTIONS too, and quoted values stay whole", () => {
  assert.deepEqual(
    node.childEnvironment({ A: "b", NODE_OPTIONS: '--inspect --require "./a b.js" --max-old-space-size=99' }),
    {
      A: "b",
      NODE_OPTIONS: `--require "${HERE}/a b.js" --max-old-space-size=99`,
    },
  );
  assert.deepEqual(node.childEnvironment({ A: "b" }), { A: "b" });
});

test("What Deno takes from NODE_OPTIONS is not debugged again, and holds in any working directory", () => {
  const given = '--inspect-brk=0 -r "./a b.cjs" --require=c.cjs --inspect 9229 --require d.cjs';
  assert.deepEqual(deno.childEnvironment({ A: "b", NODE_OPTIONS: given }), {
    A: "b",
    NODE_OPTIONS: ["-r", `${HERE}/a b.cjs`, `--require=${HERE}/c.cjs`, "--require", `${HERE}/d.cjs`]
      .map((part) => part.includes(" ") ? `"${part}"` : part).join(" "),
  });
  assert.deepEqual(deno.childEnvironment({ NODE_OPTIONS: "--require file:///a.cjs" }), {
    NODE_OPTIONS: "--require file:///a.cjs",
  });
});

test("Bun's variables that debug a process are not handed on", () => {
  const given = { A: "b", BUN_INSPECT: "ws://127.0.0.1:6499/a", BUN_INSPECT_CONNECT_TO: "unix:///a" };
  assert.deepEqual(bun.childEnvironment(given), { A: "b" });
});

test("A value of its own element goes where its flag goes, whatever the flag is", () => {
  const given = ["--test-name-pattern", "greets", "--test-reporter", "spec", "--inspect-publish-uid", "http"];
  assert.deepEqual(node.childFlags([...given, "--title", "x", "--no-such-flag", "y", "-C", "dev"]), [
    "--title",
    "x",
    "--no-such-flag",
    "y",
    "-C",
    "dev",
  ]);
  assert.deepEqual(bun.childFlags(["--inspect-wait", "6499", "--no-such-flag", "y", "-e", "1"], undefined), [
    "--no-such-flag",
    "y",
  ]);
  assert.deepEqual(flags("deno run -A --inspect-publish-uid http --no-such-flag y --log-level debug main.ts", 0), [
    "-A",
    "--no-such-flag",
    "y",
    "--log-level",
    "debug",
    ...COLLECTS,
  ]);
  assert.deepEqual(flags("deno --log-level debug run -A main.ts", 0), ["--log-level", "debug", "-A", ...COLLECTS]);
});

for (
  const [given, passed] of [
    ["--env-file .env --env-file=b.env --env-file-if-exists c.env", ""],
    [
      "--import=./a.mjs --loader ../b.mjs",
      `--import=${pathToFileURL(join(HERE, "a.mjs"))} --loader ${pathToFileURL(join(HERE, "../b.mjs"))}`,
    ],
    ["--import data:text/javascript,1 -r /abs.cjs", "--import data:text/javascript,1 -r /abs.cjs"],
    ["-r ./no-such.cjs --require=no-such-package", `-r ${HERE}/no-such.cjs --require=no-such-package`],
    ["--cpu-prof-dir prof --report-dir=../r", `--cpu-prof-dir ${HERE}/prof --report-dir=${join(HERE, "..")}/r`],
    ["--allow-fs-read=* --allow-fs-write ./x", `--allow-fs-read=* --allow-fs-write ${HERE}/x`],
    ["--input-type=module --eval 1 --title ./x", "--title ./x"],
  ] as const
) {
  test(`Node's ${given} hold in any working directory`, () => {
    assert.equal(node.childFlags(given.split(" ")).join(" "), passed);
  });
}

for (
  const [given, passed] of [
    ["--cwd sub --cwd=sub --env-file .env --no-env-file --hot --watch", ""],
    ["--preload ./no-such.ts -r=./no-such.ts", `--preload ${HERE}/no-such.ts -r=${HERE}/no-such.ts`],
    ["--config=bunfig.toml -c other.toml --smol", `--config=${HERE}/bunfig.toml -c ${HERE}/other.toml --smol`],
    ["--tsconfig-override tsconfig.json", `--tsconfig-override ${HERE}/tsconfig.json`],
  ] as const
) {
  test(`Bun's ${given} hold in any working directory`, () => {
    assert.equal(bun.childFlags(given.split(" "), undefined).join(" "), passed);
  });
}

test("Bun's flags from BUN_OPTIONS stay in the variable, and are not doubled", () => {
  const options = '--preload "./a b.ts" --smol';
  const given = ["--preload", "./a b.ts", "--smol", "--title", "x"];
  assert.deepEqual(bun.childFlags(given, options), ["--title", "x"]);
  assert.equal(bun.childEnvironment({ BUN_OPTIONS: options })["BUN_OPTIONS"], `--preload "${HERE}/a b.ts" --smol`);
});

for (
  const [given, passed] of [
    [
      "--import-map=map.json --cert ca.pem --lock=l",
      `--import-map=${HERE}/map.json --cert ${HERE}/ca.pem --lock=${HERE}/l`,
    ],
    ["--preload a.ts --import-map https://a/b.json", `--preload ${HERE}/a.ts --import-map https://a/b.json`],
    ["--allow-read=data,/a --deny-write=../b", `--allow-read=${HERE}/data,/a --deny-write=${join(HERE, "..")}/b`],
    ["-R=a,,b -W=. --allow-ffi=lib.so", `-R=${HERE}/a,,b -W=${HERE} --allow-ffi=${HERE}/lib.so`],
    ["--allow-run=git,./tool --allow-net=a:80", `--allow-run=git,${HERE}/tool --allow-net=a:80`],
    ["--env-file=.env --env-file", ""],
  ] as const
) {
  test(`Deno's ${given} hold in any working directory`, () => {
    assert.equal(flags(`deno run ${given} main.ts`, 0, false).join(" "), passed);
  });
}

test("A process of a program that is evaluated has the rights of its parent", () => {
  const given = { commandLine: ["deno", "eval", "1"], programArgs: 0, permissions: ["-A"], collects: false };
  assert.deepEqual(deno.childFlags(given), ["-A"]);
});

test("Paths in the environment hold in any working directory", () => {
  const given = { NODE_PATH: "a:/b:", NODE_EXTRA_CA_CERTS: "ca.pem", DENO_DIR: "cache", OTHER: "./x" };
  const { DENO_DIR, ...others } = given;
  assert.deepEqual(node.childEnvironment(others), {
    NODE_PATH: `${HERE}/a:/b:`,
    NODE_EXTRA_CA_CERTS: `${HERE}/ca.pem`,
    OTHER: "./x",
  });
  assert.deepEqual(deno.childEnvironment({ DENO_DIR, OTHER: "./x" }), { DENO_DIR: `${HERE}/cache`, OTHER: "./x" });
});

test("A package that a flag imports is looked for from where the process was started", () => {
  const folder = mkdtempSync(join(tmpdir(), "brokkr-test-"));
  try {
    const manifest = {
      exports: {
        ".": { types: "./t.d.ts", import: { node: "./node.mjs", default: "./i.mjs" }, require: "./r.cjs" },
        "./deep/*": "./lib/*.mjs",
        "./other": [{ browser: "./b.mjs" }, "./other.mjs"],
      },
    };
    for (const [name, content] of [["loader", manifest], ["plain", { main: "./main.cjs" }]] as const) {
      mkdirSync(join(folder, "node_modules", name), { recursive: true });
      writeFileSync(join(folder, "node_modules", name, "package.json"), JSON.stringify(content));
    }
    writeFileSync(join(folder, "node_modules/loader/r.cjs"), "");
    writeFileSync(join(folder, "node_modules/plain/main.cjs"), "");
    mkdirSync(join(folder, "inner"));
    const at = `${folder}/node_modules`;
    const resolved = (specifier: string, how: "import" | "require") =>
      node.resolveSpecifier(specifier, how, join(folder, "inner")).replace(/\/private(?=\/)/, "");
    assert.equal(resolved("loader", "import"), `file://${at}/loader/node.mjs`);
    assert.equal(resolved("loader/deep/x", "import"), `file://${at}/loader/lib/x.mjs`);
    assert.equal(resolved("loader/other", "import"), `file://${at}/loader/other.mjs`);
    assert.equal(resolved("loader", "require"), `${at}/loader/r.cjs`);
    assert.equal(resolved("plain", "import"), `file://${at}/plain/main.cjs`);
    assert.equal(resolved("absent", "import"), "absent");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function flags(commandLine: string, programArgs = 2, collects = true): string[] {
  return deno.childFlags({ commandLine: commandLine.split(" "), programArgs, permissions: [], collects });
}
