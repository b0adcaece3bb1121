import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { HEAD_BYTES, headOf, MessageKind, readHead, SessionChannel } from "../../../src/core/cluster/session.ts";
import { joinBytes } from "../../../src/core/wire/frame.ts";
import { ManualClock } from "../manual_clock.ts";
import { property } from "../property.ts";
import { randomOf } from "./random.ts";

const WINDOW_BYTES = 4 * 1024 * 1024;

interface Faults {
  /** Each from 0 to 1. */
  readonly drop: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly cut: number;
  readonly delayMs: number;
}

const NO_FAULTS: Faults = { drop: 0, duplicate: 0, reorder: 0, cut: 0, delayMs: 0 };

/** One end of a session, and what came out of it. */
interface End {
  readonly channel: SessionChannel;
  readonly chunks: Uint8Array[];
  closed: (Error | undefined)[];
  drained: number;
  isConnected: boolean;
  /** What is on its way when the connection is lost does not arrive. */
  generation: number;
}

/** Two ends, and a messaging system between them that has faults. */
class Wire {
  readonly clock = new ManualClock();
  readonly ends: readonly [End, End];
  faults = NO_FAULTS;
  maxPayload = 1024 * 1024;
  published: Uint8Array[] = [];
  readonly #random: () => number;

  constructor(seed = 1) {
    this.#random = randomOf(seed);
    this.ends = [this.#end(1), this.#end(0)];
  }

  #end(other: 0 | 1): End {
    const end: End = {
      channel: new SessionChannel({
        clock: this.clock,
        isConnected: true,
        publish: (message) => this.#publish(end, other, message),
        maxPayload: () => this.maxPayload,
        isWaiting: () => false,
        synced: () => {},
        over: () => {},
      }),
      chunks: [],
      closed: [],
      drained: 0,
      isConnected: true,
      generation: 0,
    };
    end.channel.open({
      data: (chunk) => void end.chunks.push(chunk.slice()),
      drained: () => void end.drained++,
      closed: (error) => void end.closed.push(error),
    });
    return end;
  }

  #publish(from: End, other: 0 | 1, message: Uint8Array): void {
    assert.ok(from.isConnected, "it published without a connection");
    assert.ok(message.length <= this.maxPayload, `${message.length} bytes in one message`);
    this.published.push(message.slice());
    const { drop, duplicate } = this.faults;
    if (this.#random() >= drop) this.#deliver(other, message);
    if (this.#random() < duplicate) this.#deliver(other, message);
  }

  #deliver(other: 0 | 1, message: Uint8Array): void {
    const { reorder, delayMs } = this.faults;
    const bytes = message.slice();
    const ms = this.#random() < reorder ? this.#random() * (delayMs + 2) * 3 : delayMs;
    const { generation } = this.ends[other];
    this.clock.timer(ms, () => {
      const to = this.ends[other];
      const head = readHead(bytes);
      if (to.isConnected && to.generation === generation && head !== null) {
        to.channel.receive(head, bytes.subarray(HEAD_BYTES));
      }
    });
  }

  connection(end: End, isConnected: boolean): void {
    if (end.isConnected === isConnected) return;
    end.isConnected = isConnected;
    end.generation++;
    end.channel.connection(isConnected);
  }

  /** Faults happen to both connections, for `ms`. */
  async storm(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 20) {
      for (const end of this.ends) {
        if (this.#random() < this.faults.cut) this.connection(end, !end.isConnected);
      }
      await this.clock.advance(20);
    }
  }

  /** The faults end, and all that was lost is sent again. */
  async calm(): Promise<void> {
    this.faults = NO_FAULTS;
    for (const end of this.ends) this.connection(end, true);
    await this.clock.advance(5_000);
  }
}

function received({ chunks }: End): Uint8Array {
  return joinBytes(chunks);
}

const faults = fc.record({
  drop: fc.double({ min: 0, max: 0.4, noNaN: true }),
  duplicate: fc.double({ min: 0, max: 0.4, noNaN: true }),
  reorder: fc.double({ min: 0, max: 0.4, noNaN: true }),
  cut: fc.double({ min: 0, max: 0.2, noNaN: true }),
  delayMs: fc.integer({ min: 0, max: 40 }),
});

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9_000 })), {
  maxLength: 30,
});

property(
  "SessionChannel delivers every byte once and in order, whatever is dropped, doubled, late or cut",
  fc.record({ seed: fc.integer(), faults, sizes: fc.tuple(sizes, sizes), chunk: fc.constantFrom(300, 1_000, 100_000) }),
  async ({ seed, faults, sizes, chunk }) => {
    const wire = new Wire(seed);
    wire.faults = faults;
    wire.maxPayload = chunk;
    const written: [Uint8Array[], Uint8Array[]] = [[], []];
    for (let turn = 0; turn < Math.max(...sizes.map(({ length }) => length)); turn++) {
      for (const side of [0, 1] as const) {
        const size = sizes[side][turn];
        if (size === undefined) continue;
        const bytes = Uint8Array.from({ length: size }, (_, at) => (turn * 7 + at + side) & 0xff);
        written[side].push(bytes);
        wire.ends[side].channel.write(bytes);
      }
      await wire.storm(40);
      if (turn === 10) wire.maxPayload = 400;
    }
    await wire.calm();
    assert.deepEqual(wire.ends.map(received), [joinBytes(written[1]), joinBytes(written[0])]);
    assert.deepEqual(wire.ends.map(({ channel }) => [channel.keptBytes, channel.unsentBytes]), [[0, 0], [0, 0]]);
    wire.ends[0].channel.close();
    await wire.clock.advance(1_000);
    assert.deepEqual(wire.ends.map(({ closed }) => closed.length), [1, 1]);
    assert.equal(wire.clock.timers, 0);
  },
  { runs: 80 },
);

test("SessionChannel keeps what was written: its writer may use the memory again", async () => {
  const wire = new Wire();
  const bytes = new Uint8Array([1, 2, 3]);
  wire.connection(wire.ends[0], false);
  wire.ends[0].channel.write(bytes);
  bytes.fill(9);
  await wire.calm();
  assert.deepEqual(received(wire.ends[1]), new Uint8Array([1, 2, 3]));
});

test("SessionChannel publishes 4 MiB ahead, and says what waits until it is acknowledged", async () => {
  const wire = new Wire();
  const [near] = wire.ends;
  wire.faults = { ...NO_FAULTS, drop: 1 };
  near.channel.write(new Uint8Array(5 * 1024 * 1024));
  const published = wire.published.reduce((sum, { length }) => sum + length - HEAD_BYTES, 0);
  assert.equal(published, WINDOW_BYTES);
  assert.deepEqual([near.channel.unsentBytes, near.drained], [1024 * 1024, 0]);
  await wire.calm();
  assert.deepEqual([near.channel.unsentBytes, near.channel.keptBytes, near.drained], [0, 0, 1]);
  assert.equal(received(wire.ends[1]).length, 5 * 1024 * 1024);
});

test("SessionChannel calls drained only where bytes had to wait", async () => {
  const wire = new Wire();
  wire.ends[0].channel.write(new Uint8Array(10));
  await wire.clock.advance(100);
  assert.equal(wire.ends[0].drained, 0);
});

test("SessionChannel publishes nothing without a connection, and no more than the server takes", async () => {
  const wire = new Wire();
  const [near] = wire.ends;
  wire.connection(near, false);
  near.channel.write(new Uint8Array(10_000));
  wire.published = [];
  await wire.clock.advance(2_000);
  assert.deepEqual(wire.published, []);
  wire.maxPayload = 1_024;
  await wire.calm();
  assert.equal(received(wire.ends[1]).length, 10_000);
});

test("SessionChannel that is connected again only says how far it is, until its peer has said so too", async () => {
  const wire = new Wire();
  const [near, far] = wire.ends;
  near.channel.write(new Uint8Array(10));
  await wire.clock.advance(30);
  for (const end of wire.ends) wire.connection(end, false);
  near.channel.write(new Uint8Array(20));
  wire.published = [];
  wire.connection(near, true);
  near.channel.write(new Uint8Array(30));
  await wire.clock.advance(1_000);
  const kinds = () => wire.published.map((message) => readHead(message)?.kind);
  assert.deepEqual([kinds()[0], near.channel.isSynced, near.channel.unsentBytes], [MessageKind.resume, false, 50]);
  assert.deepEqual(kinds().slice(1).filter((kind) => kind !== MessageKind.probe), []);
  wire.connection(far, true);
  await wire.clock.advance(30);
  assert.deepEqual([near.channel.isSynced, near.channel.unsentBytes, received(far).length], [true, 0, 60]);
});

test("SessionChannel acknowledges 20 ms after a message, and with every message of its own", async () => {
  const wire = new Wire();
  wire.ends[0].channel.write(new Uint8Array([1]));
  await wire.clock.advance(0);
  wire.ends[1].channel.write(new Uint8Array([2]));
  await wire.clock.advance(0);
  assert.deepEqual(wire.published.map(readHead), [
    { kind: MessageKind.data, position: 0, received: 0 },
    { kind: MessageKind.data, position: 0, received: 1 },
  ]);
  await wire.clock.advance(19);
  assert.equal(wire.published.length, 2);
  await wire.clock.advance(2);
  assert.deepEqual(readHead(wire.published[2] ?? new Uint8Array(0)), {
    kind: MessageKind.ack,
    position: 1,
    received: 1,
  });
});

test("SessionChannel of a peer that has forgotten it ends with the reason", () => {
  const wire = new Wire();
  const reset = headOf({ kind: MessageKind.reset, position: 0, received: 0 });
  const head = readHead(reset);
  if (head !== null) wire.ends[0].channel.receive(head, new Uint8Array(0));
  assert.deepEqual(wire.ends[0].closed.map((error) => error?.message), ["it does not know the session any more"]);
  assert.equal(wire.clock.timers, 0);
});

test("SessionChannel that is closed while its peer is away ends by itself", async () => {
  const wire = new Wire();
  const [near, far] = wire.ends;
  wire.connection(far, false);
  near.channel.write(new Uint8Array(10));
  near.channel.close();
  await wire.clock.advance(6_000);
  wire.connection(far, true);
  far.channel.abort();
  await wire.clock.advance(0);
  assert.equal(wire.clock.timers, 0);
});

test("readHead() reads what headOf() wrote, up to 48 bits, and nothing of a message that is too short", () => {
  const head = { kind: MessageKind.resume, position: 2 ** 48 - 1, received: 2 ** 40 + 5 };
  assert.deepEqual(readHead(headOf(head)), head);
  assert.equal(readHead(new Uint8Array(HEAD_BYTES - 1)), null);
});
