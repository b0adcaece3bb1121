import { test } from "node:test";
import { Call } from "../../src/core/call/call.ts";
import { InFlight } from "../../src/core/call/attempts.ts";
import { IdGaps, ReplyCache } from "../../src/core/call/reply_cache.ts";
import { RunningCall } from "../../src/core/call/server.ts";
import { idsOf } from "../../src/core/wire/columns.ts";
import { escapeControls, escapeName, escapeStackLine, escapeText } from "../../src/core/log/escape.ts";
import { LogReader } from "../../src/core/log/log_reader.ts";
import { stackLines } from "../../src/core/log/stack.ts";
import { Connection } from "../../src/core/program/connection.ts";
import { LSP_CONVENTIONS } from "../../src/core/program/protocols.ts";
import type { Framing } from "../../src/core/settings/settings.ts";
import { newReader } from "../../src/core/program/framing.ts";
import { OutputLines } from "../../src/core/child/output.ts";
import { assertGrows, assertGrowsWithText } from "./growth.ts";
import { ManualClock } from "./manual_clock.ts";
import { encodeValue } from "./wire/carry.ts";

const MANY = 2 ** 30;
const ignore = () => {};
const encoder = new TextEncoder();

/** As a pipe gives it. */
function chunksOf(text: string): Uint8Array[] {
  const bytes = encoder.encode(text);
  return Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, at) => bytes.subarray(at * 4096, (at + 1) * 4096));
}

function readFramed(framing: Framing, text: string): void {
  const reader = newReader(framing, { message: ignore, stray: ignore, dropped: ignore }, MANY);
  for (const chunk of chunksOf(text)) reader.push(chunk);
  reader.end();
}

const READERS: Record<string, (text: string) => void> = {
  "a stack": (stack) => void stackLines({ name: "Error", message: "x", stack }, ["/brokkr/"]),
  "a message in its stack": (message) => {
    stackLines({ name: "Error", message, stack: `Error: ${message}\n    at f (/a.js:1:1)` }, []);
    stackLines({ name: "Error", message: `b${message}`, stack: `${message}${message}` }, []);
  },
  "lines of a log": (text) => {
    const reader = new LogReader();
    for (const line of text.split("\n")) reader.push(line);
    reader.end();
  },
  "one line of a log": (text) => {
    const reader = new LogReader();
    reader.push(text.replaceAll("\n", " "));
    reader.end();
  },
  "what is escaped": (text) =>
    [escapeControls, escapeName, escapeText, escapeStackLine].forEach((print) => print(text)),
  "output of a process": (text) => {
    const limits = { maxLinesPerSecond: MANY, maxLineBytes: MANY };
    const output = new OutputLines({ clock: new ManualClock(), limits, line: ignore, dropped: ignore });
    for (const chunk of chunksOf(text)) void output.push(chunk);
    output.end();
  },
  "messages in lines": (text) => readFramed("newline", text),
  "messages behind headers": (text) => readFramed("content-length", text.replaceAll("Length: 9", "Length: 0")),
  "the body of a frame": (text) => {
    for (const flags of [0, 1]) idsOf(flags, encoder.encode(`[1,[${text}`));
  },
};

for (const [what, read] of Object.entries(READERS)) {
  // Each line of output is looked at for its level.
  const characters = what === "output of a process" ? 4_096 : 8_192;
  test(`to read ${what} costs in proportion to its length, whatever it is made of`, () =>
    assertGrowsWithText(read, characters));
}

test("to read a message of JSON-RPC costs in proportion to its length", () => {
  const shapes: ((size: number) => string)[] = [
    (size) => `[${Array.from({ length: size / 8 }, () => "1").join()}]`,
    (size) => `[${Array.from({ length: size / 32 }, (_, id) => `{"id":${id},"method":"m"}`).join()}]`,
    (size) => `{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"${"x".repeat(size)}"}}`,
    (size) => `{"method":"$/cancelRequest","params":{"id":"${"x".repeat(size)}"}}`,
    (size) => `{${Array.from({ length: size / 8 }, (_, key) => `"k${key}":1`).join()}}`,
  ];
  for (const shape of shapes) {
    assertGrows(shape(64), 32_768, (size) => {
      const bytes = encoder.encode(`${shape(size)}\n`);
      return () => {
        const events = {
          stray: ignore,
          dropped: ignore,
          notification: ignore,
          request: ignore,
          drained: ignore,
          closed: ignore,
        };
        const channel = { unsentBytes: 0, write: ignore, close: ignore, abort: ignore };
        const clock = new ManualClock();
        const open = ({ data }: { data(chunk: Uint8Array): void }) => data(bytes);
        new Connection({ ...channel, open }, { clock, framing: "newline", conventions: LSP_CONVENTIONS, events });
      };
    });
  }
});

test("to take answers that nobody asked for costs in proportion to their number, however many calls wait", () => {
  const options = { target: "sla", timeoutMs: 1_000, retry: "once" } as const;
  assertGrows("looks for the oldest call", 2_048, (count) => {
    const inFlight = new InFlight(Infinity);
    for (let calls = 0; calls < count; calls++) {
      inFlight.add(new Call("c", options, { resolve: ignore, reject: ignore }));
    }
    return () => {
      for (let answers = 0; answers < count; answers++) inFlight.oldest;
    };
  });
});

test("to take calls whose ids step far, and come back, costs in proportion to their number", () => {
  for (const step of [1, 65, 10_000, 1_000_000_007]) {
    assertGrows(`ids that step by ${step}`, 8_192, (count) => () => {
      const kept = new ReplyCache(new ManualClock());
      for (let index = 1; index <= count; index++) {
        for (const id of [index * step, index * step - 1]) {
          if (!kept.isNew(id)) continue;
          const call = new RunningCall({ id, attempt: 1, command: "c" }, "b", ignore);
          kept.answered(call, { id, attempt: 1, kind: 0, value: encodeValue(0, "v") });
        }
      }
      kept.close();
    });
  }
  assertGrows("ids that split one gap", 8_192, (count) => () => {
    const gaps = new IdGaps();
    gaps.add(1, Number.MAX_SAFE_INTEGER);
    for (let index = 1; index <= count; index++) gaps.take(index * 1_000);
  });
});
