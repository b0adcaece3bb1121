import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { stackLines, type StackSource } from "../../../src/core/log/stack.ts";

const CAPTURED: Record<string, Record<string, StackSource>> = JSON.parse(
  readFileSync(new URL("../../fixtures/log/js-stacks.json", import.meta.url), "utf8"),
);
const HEAD = "Traceback (most recent call last):";
const FILE = '  File "/srv/my app-é/main.mjs"';

/** Lines of the stack that `runtime` printed for `name`. */
function captured(runtime: string, name: string): string[] {
  return stackLines(CAPTURED[runtime]?.[name] ?? assert.fail(`no stack ${name} of ${runtime}`), []);
}

test("stackLines() reads a constructor in Node, Deno and Bun", () => {
  const expected = [
    HEAD,
    `${FILE}, line 33, in <module>`,
    `${FILE}, line 8, in ctor`,
    `${FILE}, line 2, in new Foo`,
    "TypeError: in ctor",
  ];
  assert.deepEqual(captured("node", "ctor"), expected);
  assert.deepEqual(captured("deno", "ctor"), expected);
  assert.deepEqual(captured("bun", "ctor"), expected);
});

test("stackLines() reads async frames", () => {
  const expected = [HEAD, `${FILE}, line 4, in outer`, `${FILE}, line 3, in inner`, "Error: async deep"];
  assert.deepEqual(captured("node", "async"), expected.toSpliced(1, 0, `${FILE}, line 33, in <module>`));
  assert.deepEqual(captured("deno", "async"), expected.toSpliced(1, 0, `${FILE}, line 33, in <module>`));
  assert.deepEqual(captured("bun", "async"), expected);
  assert.deepEqual(captured("node", "all"), [
    HEAD,
    `${FILE}, line 33, in <module>`,
    `${FILE}, line 3, in inner`,
    "Error: async deep",
  ]);
});

test("stackLines() tells a nameless function of Bun from the top level of a module", () => {
  const bun = { name: "Error", message: "x", stack: "Error: x\n    at <anonymous> (/a.mjs:1:53)" };
  assert.deepEqual(stackLines(bun, []), [HEAD, '  File "/a.mjs", line 1, in <anonymous>', "Error: x"]);
  const module = { ...bun, stack: "Error: x\n    at /a.mjs:1:53" };
  assert.deepEqual(stackLines(module, []), [HEAD, '  File "/a.mjs", line 1, in <module>', "Error: x"]);
});

test("stackLines() reads frames of relative paths, as a binary's source map has them", () => {
  const stack = "Error: x\n    at crash (/m.ts:1:9)\n    at #run (src/core/call/callee.ts:229:10)\n    at src/a.ts:3:4";
  assert.deepEqual(stackLines({ name: "Error", message: "x", stack }, ["src/core/"]), [
    ...[HEAD, '  File "src/a.ts", line 3, in <module>', '  File "/m.ts", line 1, in crash', "Error: x"],
  ]);
});

test("stackLines() drops frames of the engine and names a nameless function", () => {
  const expected = [
    HEAD,
    `${FILE}, line 33, in <module>`,
    `${FILE}, line 10, in map`,
    `${FILE}, line 10, in <anonymous>`,
    "Error: in map",
  ];
  assert.deepEqual(captured("node", "map"), expected);
  assert.deepEqual(captured("deno", "map"), expected);
  assert.deepEqual(captured("bun", "map"), expected.toSpliced(2, 1));
});

test("stackLines() drops frames of the runtime", () => {
  const expected = [
    HEAD,
    `${FILE}, line 33, in <module>`,
    `${FILE}, line 17, in read`,
    "Error: ENOENT: no such file or directory, open '/nope'",
  ];
  assert.deepEqual(captured("node", "read"), expected);
  assert.deepEqual(captured("deno", "read"), expected);
  assert.deepEqual(captured("bun", "read"), expected.toSpliced(2, 1));
  assert.deepEqual(captured("node", "timer"), [HEAD, `${FILE}, line 19, in _onTimeout`, "Error: timer"]);
  assert.deepEqual(captured("deno", "timer"), [HEAD, `${FILE}, line 19, in _onTimeout`, "Error: timer"]);
  assert.deepEqual(captured("bun", "timer").slice(2), ["Error: timer"]);
});

test("stackLines() takes no line of the message for a frame", () => {
  for (const runtime of ["node", "deno", "bun"]) {
    const lines = captured(runtime, "method");
    assert.deepEqual(lines.slice(-4), [
      `${FILE}, line 2, in bar`,
      "RangeError: line one",
      "    at fake (file:///x.js:1:2)",
      "three",
    ]);
    assert.ok(!lines.some((line) => line.includes('/x.js"')));
  }
});

test("stackLines() prints the class alone where the message is empty", () => {
  assert.equal(captured("node", "stat").at(-1), "Error");
  assert.equal(captured("deno", "stat").at(-1), "Error");
  assert.equal(captured("bun", "stat").at(-1), "Error");
});

test("stackLines() reads names with parentheses, aliases, private methods and evaluated code", () => {
  assert.equal(captured("node", "odd").at(-2), `${FILE}, line 2, in odd name (x)`);
  assert.equal(captured("deno", "odd").at(-2), `${FILE}, line 2, in odd name (x)`);
  assert.equal(captured("node", "alias").at(-2), `${FILE}, line 23, in b`);
  assert.equal(captured("node", "callp").at(-2), `${FILE}, line 25, in #p`);
  assert.deepEqual(captured("node", "evald").slice(-4), [
    `${FILE}, line 11, in evald`,
    `${FILE}, line 11, in eval`,
    `${FILE}, line 11, in ev`,
    "Error: evald",
  ]);
});

test("stackLines() names top-level code a module", () => {
  for (const runtime of ["node", "deno", "bun"]) {
    assert.equal(captured(runtime, "top").at(-2), `${FILE}, line 35, in <module>`);
  }
  const stack = `Error: x
    at Object.<anonymous> (/srv/a.cjs:1:7)
    at Module._compile (node:internal/modules/cjs/loader:1554:14)
    at /srv/b.cjs:3:9
    at node:internal/main/run_main_module:36:49`;
  assert.deepEqual(stackLines({ name: "Error", message: "x", stack }, []), [
    HEAD,
    '  File "/srv/b.cjs", line 3, in <anonymous>',
    '  File "/srv/a.cjs", line 1, in <module>',
    "Error: x",
  ]);
});

test("stackLines() prints the lines of a message", () => {
  assert.deepEqual(captured("bun", "reqfail"), [
    "ResolveMessage: Cannot find module './nope.cjs'",
    "Require stack:",
    "- /srv/my app-é/main.mjs",
  ]);
});

test("stackLines() drops the frames of own files", () => {
  const stack = `Error: x
    at handler (file:///srv/app%20one/sla.ts:3:9)
    at run (file:///opt/brokkr/src/core/call/callee.ts:10:1)
    at file:///opt/brokkr/src/broker.ts:1:1`;
  const expected = [HEAD, '  File "/srv/app one/sla.ts", line 3, in handler', "Error: x"];
  assert.deepEqual(stackLines({ name: "Error", message: "x", stack }, ["/opt/brokkr/src/"]), expected);
  assert.deepEqual(stackLines({ name: "Error", message: "x", stack }, ["", "file:///opt/brokkr/src/"]), expected);
  assert.deepEqual(stackLines({ name: "Error", message: "x", stack }, ["/srv/", "/opt/"]), ["Error: x"]);
});

test("stackLines() keeps URLs, Windows paths and paths that cannot be decoded", () => {
  const stack = `E: x
    at a (https://deno.land/x/foo.ts:1:2)
    at b (file:///C:/srv/x.ts?v=2:3:4)
    at c (file:///srv/100%/x.ts:5:6)
    at d (/srv/a (copy)/x.ts:7:8)`;
  assert.deepEqual(stackLines({ name: "E", message: "x", stack }, []), [
    HEAD,
    '  File "/srv/a (copy)/x.ts", line 7, in d',
    '  File "/srv/100%/x.ts", line 5, in c',
    '  File "C:/srv/x.ts", line 3, in b',
    '  File "https://deno.land/x/foo.ts", line 1, in a',
    "E: x",
  ]);
});

test("stackLines() is the class and message alone where there is no stack", () => {
  assert.deepEqual(stackLines({ name: "TypeError", message: "no", stack: undefined }, []), ["TypeError: no"]);
  assert.deepEqual(stackLines({ name: "TypeError", message: "", stack: "" }, []), ["TypeError"]);
  assert.deepEqual(stackLines({ name: "", message: "a\r\nb", stack: "Error: a\r\nb" }, []), ["Error: a", "b"]);
  assert.deepEqual(stackLines({ name: "Error", message: "new", stack: "Error: old" }, []), ["Error: new"]);
});

test("stackLines() prints a stack of another language as it came", () => {
  const python =
    'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    raise IOError("x")\nIOError: x\n';
  assert.deepEqual(stackLines({ name: "IOError", message: "x", stack: python }, []), [
    HEAD,
    '  File "a.py", line 3, in f',
    '    raise IOError("x")',
    "IOError: x",
  ]);
  const mixed = "Traceback (most recent call last):\nnode.Error: y\n    at f (/srv/x.js:1:2)";
  assert.deepEqual(stackLines({ name: "Error", message: "x", stack: mixed }, []), mixed.split("\n"));
  const java = "java.io.IOException: x\n\tat com.acme.Main.run(Main.java:12)\n\tat com.acme.Main.main(Main.java:3)";
  assert.deepEqual(stackLines({ name: "IOException", message: "x", stack: java }, []), java.split("\n"));
  const rust = "thread 'main' panicked at x\n   0: rust_begin_unwind\n             at ./src/main.rs:4:5\n   1: main";
  assert.deepEqual(stackLines({ name: "Panic", message: "y", stack: rust }, []), rust.split("\n"));
});

test("stackLines() prints the stack of each cause, and of each error of several, as it does the first one", () => {
  const own = ["    at new own (/lib/x.js:9:1)", "    at brokkr (native)"];
  const stack = [
    "Error: outer",
    "    at f (/srv/a.js:1:1)",
    "    at main (file:///srv/b%20c.js:2:1)",
    "Error 1 of 2: RangeError: one",
    "two lines",
    "    at g (/srv/a.js:3:1)",
    ...own,
    "Error 2 of 2: Error: none of its own",
    ...own,
    "Caused by: TypeError: inner",
    "    at async Promise.all (index 0)",
    "    at h (/srv/a.js:4:1)",
    "Caused by: the disk is gone",
    "Caused by: Traceback (most recent call last):",
    '  File "a.py", line 3, in f',
    "IOError: x",
  ].join("\n");
  assert.deepEqual(stackLines({ name: "Error", message: "outer", stack }, ["/lib/"]), [
    HEAD,
    '  File "/srv/b c.js", line 2, in main',
    '  File "/srv/a.js", line 1, in f',
    "Error: outer",
    `Error 1 of 2: ${HEAD}`,
    '  File "/srv/a.js", line 3, in g',
    "RangeError: one",
    "two lines",
    "Error 2 of 2: Error: none of its own",
    `Caused by: ${HEAD}`,
    '  File "/srv/a.js", line 4, in h',
    "TypeError: inner",
    "Caused by: the disk is gone",
    `Caused by: ${HEAD}`,
    '  File "a.py", line 3, in f',
    "IOError: x",
  ]);
  const bare = "Error: outer\nCaused by: Error: inner\n    at f (/srv/a.js:1:1)";
  assert.deepEqual(stackLines({ name: "Error", message: "outer", stack: bare }, []), [
    "Error: outer",
    `Caused by: ${HEAD}`,
    '  File "/srv/a.js", line 1, in f',
    "Error: inner",
  ]);
  const java =
    "java.io.IOException: x\n\tat com.acme.Main.run(Main.java:12)\nCaused by: java.lang.Error: y\n\t... 1 more";
  assert.deepEqual(stackLines({ name: "IOException", message: "x", stack: java }, []), java.split("\n"));
});

test("stackLines() is bounded", () => {
  const frames = Array.from({ length: 300 }, (_, index) => `    at f${index} (/srv/x.js:${index}:1)`).join("\n");
  const lines = stackLines({ name: "RangeError", message: "deep", stack: `RangeError: deep\n${frames}` }, []);
  assert.equal(lines.length, 53);
  assert.deepEqual(lines.slice(0, 3), [HEAD, "  … 250 more", '  File "/srv/x.js", line 49, in f49']);
  assert.deepEqual(lines.slice(-2), ['  File "/srv/x.js", line 0, in f0', "RangeError: deep"]);

  const message = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join("\n");
  const long = stackLines({ name: "E", message, stack: undefined }, []);
  assert.equal(long.length, 100);
  assert.deepEqual([long[49], long[99]], ["… 901 more", "line 999"]);

  // Of a time that grows with the square of the length this would not end before the file's deadline.
  for (const unit of ["(", " (", ":1", "at ", "eval at ", "\n    at ", "\n", "1:1)", "[as "]) {
    const text = unit.repeat(4_000_000 / unit.length);
    assert.ok(stackLines({ name: "E", message: "m", stack: `E: m\n    at ${text}` }, ["/x"]).length <= 100);
    assert.ok(stackLines({ name: text, message: text, stack: text }, [text]).every((line) => line.length <= 1001));
  }
});

test("stackLines() never throws", () => {
  const strings = [
    "",
    "\n",
    "at ",
    "    at ",
    "    at (",
    "    at ()",
    "    at :1:1",
    "at x (:1:2)",
    "eval at (",
    "\ud800",
    "%",
  ];
  strings.push(
    "    at a (eval at b (eval at c), d)",
    "    at file://%ff:1:1",
    "Error\n    at f (file://:1:1)",
    "at async ",
  );
  for (const name of strings) {
    for (const message of strings) {
      for (const stack of strings) assert.ok(stackLines({ name, message, stack }, ["/", name]).length > 0);
    }
  }
});
