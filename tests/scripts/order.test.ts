import { test } from "node:test";
import assert from "node:assert/strict";
import {
  againstOrder,
  coreImports,
  cycles,
  fileCycles,
  type Import,
  type Module,
  mutableState,
  runtimeFolders,
} from "../../scripts/border/order.ts";

/** A graph of files and what each imports. One that begins with `type ` is gone when types are erased. */
function graphOf(files: Readonly<Record<string, readonly string[]>>): Map<string, Module> {
  const importOf = (step: string): Import => {
    const [kind] = /^(type|later) /.exec(step)?.slice(1) ?? [];
    return { to: step.replace(/^\w+ /, ""), dynamic: kind === "later", onlyTypes: kind === "type" };
  };
  return new Map(Object.entries(files).map(([path, steps]) => [path, { path, imports: steps.map(importOf) }]));
}

test("againstOrder() finds nothing where each part imports itself and the parts before it", () => {
  const graph = graphOf({
    "cli.ts": ["src/cli/main.ts"],
    "src/cli/main.ts": ["src/cli/logs/follow.ts", "mod.ts", "jsonc-parser"],
    "src/cli/logs/follow.ts": ["src/core/control/client.ts", "src/cli/main.ts"],
    "mod.ts": ["src/broker.ts"],
    "src/broker.ts": ["src/core/broker/broker.ts", "src/runtime/deno/index.ts"],
    "src/core/control/client.ts": ["src/core/broker/broker.ts"],
    "src/core/broker/broker.ts": ["src/core/program/session.ts", "src/core/call/call.ts"],
    "src/core/program/session.ts": ["src/core/child/session.ts"],
    "src/core/child/session.ts": ["type src/core/call/call.ts", "type src/runtime/runtime.ts"],
    "src/core/call/call.ts": ["src/core/call/time.ts", "src/core/log/events.ts"],
    "src/core/call/time.ts": ["src/core/duration.ts"],
    "src/core/log/events.ts": ["src/core/wire/messages.ts"],
    "src/core/wire/messages.ts": ["src/core/settings/settings.ts"],
    "src/core/settings/settings.ts": ["src/core/faults.ts"],
    "src/core/faults.ts": ["src/core/duration.ts"],
    "src/core/duration.ts": ["type src/runtime/runtime.ts"],
    "src/runtime/deno/index.ts": ["src/runtime/posix/clock.ts", "type src/runtime/runtime.ts"],
    "src/runtime/posix/clock.ts": ["node:timers"],
    "src/runtime/runtime.ts": [],
  });
  assert.deepEqual(againstOrder(graph, []), []);
});

for (
  const [from, to, own, other] of [
    ["src/core/wire/link.ts", "src/core/call/call.ts", "src/core/wire", "src/core/call"],
    ["src/core/faults.ts", "src/core/module/module.ts", "src/core", "src/core/module"],
    ["src/core/child/serve.ts", "src/core/program/session.ts", "src/core/child", "src/core/program"],
    ["src/core/cluster/peer.ts", "src/core/child/serve.ts", "src/core/cluster", "src/core/child"],
    ["src/core/control/client.ts", "src/cli/main.ts", "src/core/control", "src/cli"],
    ["src/runtime/deno/self.ts", "src/core/duration.ts", "src/runtime", "src/core"],
    ["src/runtime/runtime.ts", "src/runtime/detect.ts", "src/runtime/runtime.ts", "src/runtime"],
    ["src/broker.ts", "mod.ts", "src/broker.ts", "mod.ts"],
  ] as const
) {
  test(`againstOrder() names an import of ${to} in ${from}, of types too`, () => {
    const line = `${from}: imports ${to}, and ${own} may not import ${other}; move what both need into the earlier one`;
    assert.deepEqual(againstOrder(graphOf({ [from]: [to], [to]: [] }), []), [line]);
    assert.deepEqual(againstOrder(graphOf({ [from]: [`type ${to}`], [to]: [] }), []), [line]);
  });
}

test("againstOrder() passes over an exception as long as it crosses, and wants it gone after that", () => {
  const pair = "src/core/wire/link.ts -> src/core/call/call.ts";
  const crossing = { "src/core/wire/link.ts": ["src/core/call/call.ts"], "src/core/call/call.ts": [] };
  assert.deepEqual(againstOrder(graphOf(crossing), [pair]), []);
  assert.deepEqual(againstOrder(graphOf({ ...crossing, "src/core/wire/link.ts": [] }), [pair]), [
    `scripts/border/order.ts: "${pair}" crosses no more; take it out of EXCEPTIONS`,
  ]);
});

test("againstOrder() names a file in a folder without a place, and one that stands loose in src/core", () => {
  assert.deepEqual(againstOrder(graphOf({ "src/core/utils/all.ts": [], "src/core/helpers.ts": [] }), []), [
    "src/core/utils/all.ts: stands in no part that scripts/border/order.ts knows; enter its folder in ORDER",
    "src/core/helpers.ts: stands loose in src/core; move it into the folder of its idea",
  ]);
});

test("cycles() names two folders that import each other, of types too, once", () => {
  const graph = graphOf({
    "src/cli/logs/html.ts": ["src/cli/page/embedded.ts"],
    "src/cli/page/embedded.ts": [],
    "src/cli/page/page.ts": ["type src/cli/logs/counts.ts"],
    "src/cli/logs/counts.ts": [],
  });
  assert.deepEqual(cycles(graph), [
    "src/cli/logs: is in a cycle of parts: src/cli/logs/html.ts imports src/cli/page/embedded.ts, " +
    "src/cli/page/page.ts imports src/cli/logs/counts.ts; move what one of them needs to where it imports none",
  ]);
});

test("cycles() follows a cycle through files that stand beside folders, and lets those use a folder and be used by it", () => {
  const command = {
    "src/cli/logs.ts": ["src/cli/logs/follow.ts", "src/cli/output.ts"],
    "src/cli/logs/follow.ts": ["src/cli/output.ts"],
    "src/cli/output.ts": [],
  };
  assert.deepEqual(cycles(graphOf(command)), []);
  assert.deepEqual(cycles(graphOf({ ...command, "src/cli/output.ts": ["src/cli/logs.ts"] })), [
    "src/cli/logs: is in a cycle of parts: src/cli/logs/follow.ts imports src/cli/output.ts, " +
    "src/cli/output.ts imports src/cli/logs.ts, src/cli/logs.ts imports src/cli/logs/follow.ts; " +
    "move what one of them needs to where it imports none",
  ]);
});

test("cycles() lets the files of one folder import each other", () => {
  const graph = graphOf({ "src/core/wire/a.ts": ["src/core/wire/b.ts"], "src/core/wire/b.ts": ["src/core/wire/a.ts"] });
  assert.deepEqual(cycles(graph), []);
});

test("fileCycles() names files that import each other, also in one folder and of types only, and lets them load one later", () => {
  const files = { "src/core/wire/b.ts": ["src/core/wire/c.ts"], "src/core/wire/c.ts": ["src/core/wire/a.ts"] };
  assert.deepEqual(fileCycles(graphOf({ ...files, "src/core/wire/a.ts": ["later src/core/wire/b.ts"] })), []);
  for (const kind of ["", "type "]) {
    assert.deepEqual(fileCycles(graphOf({ ...files, "src/core/wire/a.ts": [`${kind}src/core/wire/b.ts`] })), [
      "src/core/wire/a.ts: is imported by what it imports: src/core/wire/a.ts imports src/core/wire/b.ts, " +
      "src/core/wire/b.ts imports src/core/wire/c.ts, src/core/wire/c.ts imports src/core/wire/a.ts; " +
      "move what both need into one of them",
    ]);
  }
});

test("coreImports() names an import of a runtime or a package in src/core, and of more than types from the seam", () => {
  const graph = graphOf({
    "src/core/call/call.ts": ["node:fs", "src/runtime/posix/clock.ts", "src/runtime/runtime.ts", "src/core/faults.ts"],
    "src/core/call/time.ts": ["type src/runtime/runtime.ts"],
    "src/cli/main.ts": ["node:fs"],
  });
  const remedy = "which src/core may not; pass it in through the Runtime";
  assert.deepEqual(coreImports(graph), [
    `src/core/call/call.ts: imports node:fs, ${remedy}`,
    `src/core/call/call.ts: imports src/runtime/posix/clock.ts, ${remedy}`,
    "src/core/call/call.ts: imports src/runtime/runtime.ts, which src/core may not; import its types only: import type",
  ]);
});

test("runtimeFolders() names what one runtime imports of another, and what posix imports of any", () => {
  const graph = graphOf({
    "src/runtime/bun/index.ts": ["src/runtime/builtins/files.ts", "src/runtime/posix/clock.ts"],
    "src/runtime/bun/spawn.ts": ["src/runtime/node/spawn.ts"],
    "src/runtime/deno/index.ts": ["src/runtime/builtins/files.ts"],
    "src/runtime/posix/clock.ts": ["type src/runtime/deno/index.ts"],
    "src/runtime/detect.ts": ["src/runtime/node/index.ts"],
  });
  const remedy = "of another runtime; move what both need to src/runtime/posix or builtins";
  assert.deepEqual(runtimeFolders(graph), [
    `src/runtime/bun/spawn.ts: imports src/runtime/node/spawn.ts, ${remedy}`,
    `src/runtime/deno/index.ts: imports src/runtime/builtins/files.ts, ${remedy}`,
    `src/runtime/posix/clock.ts: imports src/runtime/deno/index.ts, ${remedy}`,
  ]);
});

test("mutableState() names variables and empty collections of a module, and no constant, table or local", () => {
  const text = `
const LIMIT = 10;
const TABLE = new Map<string, number>([["a", 1]]);
const NONE: readonly string[] = [];
const NOTHING: ReadonlyMap<string, number> = new Map();
let last = 0;
export const brokers = new Set<string>();
const byName: Map<string, Map<string, number>> = new Map();
const names: string[] = [];
function f() {
  let count = 0;
  const seen = new Set();
}
`;
  const line = (name: string) =>
    `src/core/a.ts: keeps state in its variable "${name}"; make it a field of what the caller creates`;
  assert.deepEqual(mutableState("src/core/a.ts", text), ["last", "brokers", "byName", "names"].map(line));
});
