// A command called with each of many items: what is read, what is under way, and how it ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CallMap } from "../../../src/core/call/map.ts";
import { CallCancelledError } from "../../../src/core/faults.ts";
import type { CallOptions, MapOptions } from "../../../src/core/module/definition.ts";
import { settle } from "../manual_clock.ts";

interface Pending {
  readonly item: unknown;
  readonly options: CallOptions;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A map whose calls end when the test says so, or by their signal; the commands are all `price`. */
class Mapping {
  readonly calls: Pending[] = [];
  readonly map: CallMap;
  out = 0;
  workers = 1;

  constructor(items: AsyncIterable<unknown> | Iterable<unknown>, options: Partial<MapOptions> = {}) {
    this.map = new CallMap(items, { command: "price", ...options }, {
      target: "shop",
      workers: () => this.workers,
      call: (_, [item], options) => this.#call(item, options).finally(() => this.out--),
    });
  }

  get items(): unknown[] {
    return this.calls.map(({ item }) => item);
  }

  #call(item: unknown, options: CallOptions): Promise<unknown> {
    this.out++;
    return new Promise((resolve, reject) => {
      this.calls.push({ item, options, resolve, reject });
      options.signal?.addEventListener("abort", () => reject(new Error("cancelled")));
    });
  }

  /** Answers the call of an item with ten times the item. */
  answer(...items: number[]): void {
    for (const item of items) this.calls.find((call) => call.item === item)?.resolve(item * 10);
  }
}

/** A source that says what became of it. */
class Source {
  read = 0;
  isClosed = false;

  async *items(count = Infinity): AsyncGenerator<number> {
    try {
      for (let item = 0; item < count; item++) {
        this.read++;
        yield await Promise.resolve(item);
      }
    } finally {
      this.isClosed = true;
    }
  }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then((value) => assert.fail(`it ended with ${JSON.stringify(value)}`), (error: unknown) => error);
}

test("map() begins with the first next(), has as many calls under way as concurrency says, and reads no item before", async () => {
  const source = new Source();
  const t = new Mapping(source.items(), { concurrency: 3 });
  await settle();
  assert.equal(source.read, 0);
  const first = t.map.next();
  await settle();
  assert.deepEqual([t.items, source.read], [[0, 1, 2], 3]);
  t.answer(1);
  await settle();
  assert.deepEqual(t.items, [0, 1, 2, 3]);
  t.answer(0);
  assert.deepEqual(await first, { value: 0, done: false });
  assert.deepEqual(await t.map.next(), { value: 10, done: false });
  await t.map.return();
});

test("map() yields in the order of the items, or as they are done, until the source ends", async () => {
  for (const [ordered, expected] of [[undefined, [0, 10, 20, 30]], [false, [20, 30, 0, 10]]] as const) {
    const t = new Mapping([0, 1, 2, 3], { concurrency: 4, ordered });
    const taken: unknown[] = [];
    const all = (async () => {
      for await (const value of t.map) taken.push(value);
    })();
    for (const item of [2, 3, 0, 1]) {
      await settle();
      t.answer(item);
    }
    await all;
    assert.deepEqual(taken, expected);
    assert.deepEqual(await t.map.next(), { value: undefined, done: true });
  }
});

test("map() waits with further items while the reader takes none, and while the oldest call takes longer", async () => {
  for (const ordered of [true, false]) {
    const t = new Mapping(new Source().items(), { concurrency: 2, ordered });
    const first = t.map.next();
    await settle();
    for (let item = 1; item < 100; item++) {
      t.answer(item);
      await settle();
    }
    // In order the first is missing; else it was the second one that `first` took.
    assert.equal(t.calls.length, ordered ? 8 : 9);
    t.answer(0);
    await first;
    await t.map.return();
  }
});

test("map() has two calls under way for each worker, as many as there are now", async () => {
  const t = new Mapping(new Source().items());
  void t.map.next();
  await settle();
  assert.equal(t.calls.length, 2);
  t.workers = 3;
  t.answer(0);
  await settle();
  assert.equal(t.out, 6);
  t.workers = 0;
  t.answer(1, 2, 3, 4, 5, 6);
  for (let item = 1; item <= 6; item++) await t.map.next();
  void t.map.next();
  await settle();
  assert.equal(t.out, 1);
  await t.map.return();
});

test("map() ends with the error of a call: what was answered before it is yielded, what is under way is cancelled", async () => {
  const source = new Source();
  const t = new Mapping(source.items(), { concurrency: 3 });
  const first = t.map.next();
  await settle();
  const error = new RangeError("no price");
  t.calls[1]?.reject(error);
  await settle();
  t.answer(0);
  assert.deepEqual(await first, { value: 0, done: false });
  assert.equal(await failure(t.map.next()), error);
  assert.deepEqual([t.items, t.out, source.isClosed], [[0, 1, 2], 0, true]);
  assert.deepEqual(await t.map.next(), { value: undefined, done: true });
});

test("map() ends with the error of the source, when the results before it were taken", async () => {
  const error = new Error("no more plums");
  const t = new Mapping((function* () {
    yield 0;
    throw error;
  })());
  const first = t.map.next();
  await settle();
  t.answer(0);
  assert.deepEqual(await first, { value: 0, done: false });
  assert.equal(await failure(t.map.next()), error);
});

test("map() ends when its reader leaves the loop: calls are cancelled, the source is closed, nothing is left", async () => {
  const source = new Source();
  const signal = new AbortController().signal;
  const t = new Mapping(source.items(), { concurrency: 3, signal });
  const loop = (async () => {
    for await (const value of t.map) return value;
    return undefined;
  })();
  await settle();
  t.answer(0);
  assert.equal(await loop, 0);
  assert.deepEqual([t.out, source.isClosed], [0, true]);
  await settle();
  assert.deepEqual(t.items, [0, 1, 2]);
});

test("map() that is left while its source waits ends at once, and closes the source when it goes on", async () => {
  let goOn = () => {};
  let isClosed = false;
  const t = new Mapping((async function* () {
    try {
      yield 0;
      await new Promise<void>((resolve) => goOn = resolve);
      yield 1;
    } finally {
      isClosed = true;
    }
  })());
  const first = t.map.next();
  await settle();
  t.answer(0);
  await first;
  await t.map.return();
  assert.equal(isClosed, false);
  goOn();
  await settle();
  assert.deepEqual([isClosed, t.items], [true, [0]]);
});

test("signal cancels the calls that are under way, and the loop ends with its reason whatever was answered before", async () => {
  const controller = new AbortController();
  const source = new Source();
  const t = new Mapping(source.items(), { concurrency: 3, signal: controller.signal });
  void t.map.next();
  await settle();
  t.answer(0, 1);
  await settle();
  controller.abort("closing time");
  const error = await failure(t.map.next());
  assert.ok(error instanceof CallCancelledError);
  assert.deepEqual([error.message, error.cause, error.acknowledged], [
    'Cannot call command "price" of module "shop": cancelled',
    "closing time",
    false,
  ]);
  assert.deepEqual([t.out, source.isClosed], [0, true]);
  assert.deepEqual(await t.map.next(), { value: undefined, done: true });

  const none = new Mapping([0], { signal: AbortSignal.abort("late") });
  const early = await failure(none.map.next());
  assert.ok(early instanceof CallCancelledError && early.acknowledged);
  assert.deepEqual([early.cause, none.calls], ["late", []]);
});

test("onProgress gets the number of the item, and every call the other options", async () => {
  const steps: unknown[] = [];
  const t = new Mapping(["a", "b"], {
    concurrency: 2,
    timeoutMs: 7,
    onProgress: (value, index) => void steps.push([value, index]),
  });
  void t.map.next();
  await settle();
  t.calls[1]?.options.onProgress?.("half");
  assert.deepEqual(steps, [["half", 1]]);
  assert.deepEqual(t.calls.map(({ options }) => options.timeoutMs), [7, 7]);
  await t.map.return();
});

test("map() says at once what is wrong with its items or options", () => {
  const wrong: [items: unknown, options: Record<string, unknown>, message: string][] = [
    [7, {}, "Cannot map: items must be an iterable, and it is 7"],
    [[], { command: 7 }, "Cannot map: command must be a text, and it is 7"],
    [
      [],
      { concurrency: 0 },
      'Cannot map command "price": concurrency must be a whole number of at least 1, and it is 0',
    ],
    [[], { ordered: "no" }, 'Cannot map command "price": ordered must be true or false, and it is "no"'],
    [[], { onProgress: 1 }, 'Cannot map command "price": onProgress must be a function, and it is 1'],
    [[], { signal: 1 }, 'Cannot map command "price": signal must be an AbortSignal, and it is 1'],
  ];
  for (const [items, options, message] of wrong) {
    assert.throws(() => Reflect.construct(Mapping, [items, options]), { name: "TypeError", message });
  }
});

test("many items take no more memory than a few: of those that were read, at most four times concurrency were not taken", async () => {
  let read = 0;
  let taken = 0;
  let most = 0;
  function* numbers() {
    for (; read < 20_000; read++) {
      most = Math.max(most, read - taken);
      yield read;
    }
  }
  const map = new CallMap(numbers(), { command: "double", concurrency: 8 }, {
    target: "shop",
    workers: () => 4,
    call: (_, [item]) => Promise.resolve(Number(item) * 2),
  });
  for await (const value of map) {
    if (value !== taken * 2) assert.fail(`item ${taken} became ${value}`);
    taken++;
  }
  assert.equal(taken, 20_000);
  assert.ok(most <= 32, `${most} items were in memory`);
});
