import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Codec } from "../../src/core/wire/codec.ts";
import { packAnswers, packCalls, readAnswers, readCalls } from "../../src/core/wire/columns.ts";
import {
  DEFAULT_FRAME_LIMIT,
  FrameType,
  HEADER_BYTES,
  joinBytes,
  readHeader,
  readJson,
} from "../../src/core/wire/frame.ts";
import { controlFromChild, readRecords } from "../../src/core/wire/messages.ts";
import { outOfBandHead, readOutOfBand } from "../../src/core/wire/shared_memory.ts";
import { reportedEvents } from "../../src/core/log/broker_log.ts";
import { encodeRole, readRole } from "../../src/core/child/role.ts";
import { controlCommands } from "../../src/core/control/commands.ts";
import { MemoryTree } from "../core/broker/memory_tree.ts";
import { frame } from "../core/frames.ts";
import { bytesOf } from "../core/wire/carry.ts";
import { withoutPython } from "../process/program_files.ts";
import { CLI, ROOT, start, temporaryFolder } from "./command.ts";
import { follow, stepsOf } from "./guide.ts";
import { blocksOf } from "./pages.ts";
import { brokkrFolder } from "./project.ts";
import { isOfBytes } from "./trials.ts";

const PAGE = "docs/wire-protocol.md";
const TALK_MS = 20_000;
const blocks = (await blocksOf(PAGE)).filter(({ name }) => name === null);
const bytes = (text: string) => new TextEncoder().encode(text);
const codec = new Codec("rich");

for (const [index, block] of blocks.entries()) {
  if (!isOfBytes(block)) continue;
  test(`${PAGE}:${block.line}: the bytes are a frame that brokkr reads, and writes the same`, () => {
    const frames = framesOf(block.text);
    for (const whole of frames) assert.deepEqual(written(whole), whole);
    const shown = blocks[index + 1];
    if (shown?.language !== "json" || shown.part !== block.part || frames.length > 1) return;
    const { flags } = readHeader(frames[0] ?? new Uint8Array(), 0, DEFAULT_FRAME_LIMIT);
    if (flags <= 1) assert.deepEqual(textOf(frames[0] ?? new Uint8Array()), JSON.parse(shown.text));
  });
}

test(`${PAGE}, Channels: the role is one that brokkr reads and writes`, () => {
  const text = json("Channels");
  const { role } = readRole(text);
  assert.ok(role !== null);
  const { given: _, ...rest } = role;
  assert.deepEqual(JSON.parse(encodeRole(rest)), JSON.parse(text));
});

test(`${PAGE}, Hello: a broker answers it with one of the same fields, and another protocol with the reason`, async () => {
  const hello = JSON.parse(json("Hello"));
  const refused = blocks.find(({ part, language }) => part === "Hello" && language === "text")?.text.trim();
  await using temporary = await temporaryFolder();
  const sockets = join(temporary.path, "run");
  await mkdir(sockets, { mode: 0o700 });
  const env = { XDG_RUNTIME_DIR: sockets };
  await using broker = start([...CLI, "run", join(ROOT, "tests/fixtures/cli/broker/brokkr.json")], {
    env,
  });
  await broker.printed(/The broker is ready/);
  const [, name = ""] = await broker.printed(/ \[ (\S+) \] \[ BROKER \]/);
  const path = join(sockets, "brokkr", `${name}.sock`);

  const [answer] = await talk(path, frame(FrameType.hello, JSON.stringify(hello)), 1);
  assert.equal(answer?.type, FrameType.hello);
  const { codecs, ...fields } = JSON.parse(answer.text);
  assert.deepEqual(codecs, ["rich", "json"]);
  assert.deepEqual(Object.keys(fields).sort(), Object.keys(hello).sort());
  assert.deepEqual([fields.protocol, fields.broker, fields.setup], [hello.protocol, name, null]);

  const other = JSON.stringify({ ...hello, protocol: 2, version: "9.9.9" });
  const [, close] = await talk(path, frame(FrameType.hello, other), 2);
  assert.equal(close?.type, FrameType.close);
  assert.deepEqual(JSON.parse(close?.text ?? "null"), { reason: refused?.replace("0.1.0", fields.version) });
});

test(`${PAGE}, The control socket: the table has every command of it, and no other`, async () => {
  const [, part = ""] = (await readFile(join(ROOT, PAGE), "utf8")).split("\n## The control socket\n");
  const shown = [...part.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
  const { core } = new MemoryTree([]);
  const commands = controlCommands(core, { now: () => 0, stop: () => core.stop() });
  assert.deepEqual(shown.sort(), [...commands.keys()].sort());
});

test(`${PAGE}, Cancel, ping, records, notices, close: brokkr takes the records and the receipt`, () => {
  const [_pong, records = "", cleanup = ""] = blocks.filter(({ part, language }) =>
    part === "Cancel, ping, records, notices, close" && language === "json"
  ).map(({ text }) => text);
  const sla = { name: "sla", pid: 2565, broker: "b", isWorker: () => false, startedAt: 0, now: Date.now() };
  assert.deepEqual(reportedEvents(readRecords(bytes(records)), sla), JSON.parse(records));
  const ready = { kind: "ready", commands: [], cleanup: JSON.parse(cleanup) };
  assert.deepEqual(controlFromChild.read(bytes(JSON.stringify(ready))), ready);
});

test(
  `${PAGE}, The control socket: the client in Python prints what the text says`,
  { skip: withoutPython() },
  async () => {
    const steps = await stepsOf(PAGE, "The control socket");
    assert.equal(steps.filter(({ kind }) => kind === "command").length, 3);
    await using project = await brokkrFolder();
    await follow(steps, { ...project, replace: {} });
  },
);

/** The text of the first block of JSON under a heading. */
function json(part: string): string {
  const block = blocks.find((block) => block.part === part && block.language === "json");
  assert.ok(block !== undefined, `${PAGE} has no JSON under "${part}"`);
  return block.text;
}

/** A dump as `hexdump` prints it. Each frame begins anew at 0000, and its characters stand behind its bytes. */
function framesOf(dump: string): Uint8Array[] {
  const frames: number[][] = [];
  for (const line of dump.trimEnd().split("\n")) {
    const [, offset = "", hex = "", characters] = /^([\da-f]{4}) {2}((?:[\da-f]{2} )+) +(.*)$/.exec(line) ?? [];
    const values = hex.trim().split(" ").map((two) => Number.parseInt(two, 16));
    const shown = values.map((value) => value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : ".").join("");
    assert.equal(characters, shown, line);
    if (offset === "0000") frames.push([]);
    assert.equal(Number.parseInt(offset, 16), frames.at(-1)?.length, line);
    frames.at(-1)?.push(...values);
  }
  return frames.map((values) => Uint8Array.from(values));
}

/** The frame that brokkr makes of what it reads in this one. */
function written(whole: Uint8Array): Uint8Array {
  const { type, flags, length } = readHeader(whole, 0, DEFAULT_FRAME_LIMIT);
  const body = whole.subarray(HEADER_BYTES);
  assert.equal(body.length, length);
  if (type === FrameType.calls) {
    const { settledBelow, calls } = readCalls(flags, body);
    const packed = packCalls(
      calls.map((call) => ({ ...call, params: codec.encode(call.params, "params") })),
      settledBelow,
    );
    return frame(type, bytesOf(packed), packed.flags);
  }
  if (type === FrameType.answers) {
    const { ids, attempts, kinds, values } = readAnswers(flags, body);
    const answers = ids.map((id, index) => {
      const attempt = attempts?.[index] ?? 1;
      assert.ok(typeof id === "number" && typeof attempt === "number");
      return { id, attempt, kind: kinds?.[index] ?? 0, value: codec.encode(values[index] ?? null, "result") };
    });
    const packed = packAnswers(answers);
    return frame(type, bytesOf(packed), packed.flags);
  }
  if (type === FrameType.outOfBand) {
    const outOfBand = readOutOfBand(body, DEFAULT_FRAME_LIMIT);
    return frame(
      type,
      joinBytes([outOfBandHead(outOfBand.type, outOfBand.flags, outOfBand.spans), outOfBand.rest]),
      flags,
    );
  }
  return frame(type, JSON.stringify(readJson(body)), flags);
}

/** The body's text as JSON, without the raw bytes behind it. */
function textOf(whole: Uint8Array): unknown {
  const { flags } = readHeader(whole, 0, DEFAULT_FRAME_LIMIT);
  const body = whole.subarray(HEADER_BYTES);
  if (flags === 0) return readJson(body);
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0);
  return readJson(body.subarray(4, 4 + length));
}

interface Said {
  readonly type: number;
  readonly text: string;
}

/** The first `count` frames that the broker says to `bytes`. */
async function talk(path: string, bytes: Uint8Array, count: number): Promise<Said[]> {
  const socket = createConnection(path);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    let received: Uint8Array = new Uint8Array();
    const said = new Promise<Said[]>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`No ${count} frames came`)), TALK_MS);
      socket.once("error", reject).on("data", (chunk: Uint8Array) => {
        received = joinBytes([received, chunk]);
        const frames = framesIn(received);
        if (frames.length >= count) resolve(frames);
      });
    });
    socket.write(bytes);
    return await said;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Those that are whole. */
function framesIn(received: Uint8Array): Said[] {
  const frames: Said[] = [];
  for (let at = 0; at + HEADER_BYTES <= received.length;) {
    const { type, length } = readHeader(received, at, DEFAULT_FRAME_LIMIT);
    const body = received.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (body.length < length) break;
    frames.push({ type, text: new TextDecoder().decode(body) });
    at += HEADER_BYTES + length;
  }
  return frames;
}
