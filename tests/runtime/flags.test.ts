import assert from "node:assert/strict";
import { test } from "node:test";
import * as deno from "../../src/runtime/deno_flags.ts";
import { confinedFlags } from "../../src/runtime/deno_confined.ts";
import * as node from "../../src/runtime/node_flags.ts";

const COLLECTS = ["--no-code-cache", "--v8-flags=--expose-gc"];

test("Deno's flags are kept as they stand between `run` and the program", () => {
  assert.deepEqual(flags("deno run --allow-read=/a --config deno.json main.ts x --check"), [
    "--allow-read=/a",
    "--config",
    "deno.json",
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

test("Deno's process with the engine flags of its father shares the compiled code that is kept", () => {
  const given = "deno run -A --v8-flags=--max-old-space-size=99,--expose-gc main.ts";
  assert.deepEqual(flags(given, 0), ["-A", "--v8-flags=--max-old-space-size=99,--expose-gc"]);
  assert.deepEqual(flags("deno run -A main.ts x y", 2, false), ["-A"]);
  assert.deepEqual(flags("deno run -A --v8-flags=--random-seed=1 main.ts", 0, false), [
    "-A",
    "--v8-flags=--random-seed=1",
  ]);
});

test("Deno's flags of another subcommand are kept where they say rights or configuration", () => {
  assert.deepEqual(
    flags("deno test -A -c deno.json --parallel --filter x --unstable-kv --node-modules-dir=auto tests -- y", 1),
    ["-A", "-c", "deno.json", "--unstable-kv", "--node-modules-dir=auto", ...COLLECTS],
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

test("confinedFlags() drops every grant of the father, keeps what he denies, and adds what is named and what brokkr needs", () => {
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
  const confinement = { rights: { net: ["e:80"], run: true, env: [], sys: false }, files: ["file:///f%20g/h.ts"] };
  const confined = confinedFlags(flags, confinement).map((flag) => flag.replace(/=\/.*?\/,/, "=OWN/,"));
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
    ["--no-warnings", "--import", "./a.js"],
  );
});

test("Node's flags are dropped from NODE_OPTIONS too, and quoted values stay whole", () => {
  assert.deepEqual(
    node.childEnvironment({ A: "b", NODE_OPTIONS: '--inspect --require "./a b.js" --max-old-space-size=99' }),
    {
      A: "b",
      NODE_OPTIONS: '--require "./a b.js" --max-old-space-size=99',
    },
  );
  assert.deepEqual(node.childEnvironment({ A: "b" }), { A: "b" });
});

function flags(commandLine: string, programArgs = 2, collects = true): string[] {
  return deno.childFlags({ commandLine: commandLine.split(" "), programArgs, permissions: [], collects });
}
