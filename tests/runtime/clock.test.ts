import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { pid } from "node:process";
import { mock, test } from "node:test";
import { block, receive, runtime, within, withStarted } from "./started.ts";

const { clock } = runtime;

test("Clock.now() never goes back", () => {
  let last = clock.now();
  for (let i = 0; i < 10_000; i++) {
    const now = clock.now();
    assert.ok(now >= last);
    last = now;
  }
});

test("Clock.wall() tells the time of day", () => {
  assert.ok(Math.abs(clock.wall() - Date.now()) < 1_000);
});

for (const [name, { timer }] of Object.entries({ clock, servingClock: runtime.servingClock ?? clock })) {
  test(`${name}.timer() calls once, in the order of the times`, async () => {
    const called: number[] = [];
    await within(
      new Promise<void>((resolve) => {
        timer(30, () => {
          called.push(30);
          resolve();
        });
        timer(1, () => called.push(1));
        timer(10, () => called.push(10));
      }),
    );
    assert.deepEqual(called, [1, 10, 30]);
  });

  test(`${name}.timer() of no time at all calls after the code that runs now`, async () => {
    const order: string[] = [];
    await within(
      new Promise<void>((resolve) => {
        timer(0, () => {
          order.push("timer");
          resolve();
        });
        order.push("now");
      }),
    );
    assert.deepEqual(order, ["now", "timer"]);
  });

  test(`${name}.timer() that was cleared never calls`, async () => {
    let called = false;
    const clear = timer(1, () => called = true);
    clear();
    clear();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(called, false);
  });

  test(`${name}.timer() of a time that no system timer holds waits`, async () => {
    let called = false;
    const clear = timer(2 ** 31 + 5, () => called = true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(called, false);
    clear();
  });
}

test("Clock is the machine's while the program's timers and time are fake ones of its test", async () => {
  const order: string[] = [];
  mock.timers.enable();
  try {
    assert.ok(clock.wall() > Date.now());
    const clear = clock.timer(1, () => order.push("cleared"));
    clear();
    const began = clock.now();
    await new Promise<void>((resolve) => void clock.timer(30, resolve));
    assert.ok(clock.now() - began >= 29);
    await new Promise<void>((resolve) => clock.soon(resolve));
  } finally {
    mock.timers.reset();
  }
  assert.deepEqual(order, []);
});

test("Clock is the machine's where the program's timers and time were fake ones before the library was loaded", async () => {
  const names = ["setTimeout", "clearTimeout", "setImmediate", "Date", "performance", "queueMicrotask"];
  const real = names.map((name): [string, unknown] => [name, Reflect.get(globalThis, name)]);
  const began = Date.now();
  const fakeNow = () => 0;
  const fake = Object.assign(() => ({}), { now: fakeNow });
  for (const name of names) {
    // As Jest, Vitest and Sinon leave them: of the same name, and with their clock.
    const named = Object.assign((...given: []) => fake(...given), fake, { clock: {} });
    Reflect.set(globalThis, name, Object.defineProperty(named, "name", { value: name }));
  }
  try {
    const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
    const loaded = await import(new URL(`../../src/runtime/posix/clock${ending}?faked`, import.meta.url).href);
    const { now, wall, timer }: typeof clock = loaded.systemClock(loaded.immediate);
    assert.ok(Math.abs(wall() - began) < 10_000, `${wall()} is not about ${began}`);
    const before = now();
    await new Promise<void>((resolve) => void timer(30, resolve));
    assert.ok(now() - before >= 29);
    await new Promise<void>((resolve) => loaded.immediate(resolve));
    await new Promise<void>((resolve) => loaded.microtask(resolve));
  } finally {
    for (const [name, value] of real) Reflect.set(globalThis, name, value);
  }
});

test("Clock.now() goes on where a test has put a clock that stands in the place of performance.now", async () => {
  const mocked = mock.method(performance, "now", () => 0);
  try {
    const before = clock.now();
    await new Promise<void>((resolve) => void clock.timer(30, resolve));
    assert.ok(clock.now() - before >= 29);
  } finally {
    mocked.mock.restore();
  }
});

test("Clock.soon() calls after the code that runs now and its promises", async () => {
  const order: string[] = [];
  await within(
    new Promise<void>((resolve) => {
      clock.soon(() => {
        order.push("soon");
        resolve();
      });
      queueMicrotask(() => order.push("microtask"));
      order.push("now");
    }),
  );
  assert.deepEqual(order, ["now", "microtask", "soon"]);
});

test("Clock.soon() in a timer that fires late calls after the bytes that arrived in the meantime", () =>
  withStarted({ mode: "answer-late", env: { SIZE: "100" } }, async (_process, channel) => {
    const received = receive(channel);
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    for (let round = 1; round <= 3; round++) {
      channel.write(new Uint8Array(100_000));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const atOnce = await new Promise<number>((resolve) => {
        clock.timer(10, () => clock.soon(() => resolve(received.bytes)));
        block(400);
      });
      assert.equal(atOnce, 1 + round * 100_000);
    }
  }));

test("Clock.soon() in a timer that fires late calls after the bytes that came while the process was stopped", () =>
  withStarted({ mode: "answer-late", env: { SIZE: "250" } }, async (_process, channel) => {
    const received = receive(channel);
    // Once it runs, it answers while this process is stopped.
    channel.write(new Uint8Array(1));
    await received.until(({ bytes }) => bytes === 1);
    channel.write(new Uint8Array(100_000));
    spawn("sh", ["-c", `sleep 0.1; kill -STOP ${pid}; sleep 0.5; kill -CONT ${pid}`], { stdio: "ignore" });
    const began = clock.now();
    const [late, bytes] = await new Promise<[number, number]>((resolve) =>
      void clock.timer(300, () => {
        const late = clock.now() - began - 300;
        clock.soon(() => resolve([late, received.bytes]));
      })
    );
    assert.ok(late > 100, "the process was never stopped");
    assert.equal(bytes, 100_001);
  }));

test("Clock goes on where Bun's own fake timers stop every clock of the process", {
  skip: runtime.name === "bun" ? false : "Bun's own fake timers are in Bun only",
}, async () => {
  const { jest }: { jest: { useFakeTimers(): void; useRealTimers(): void } } = await import(`${"bun:test"}`);
  const [before, wallBefore] = [clock.now(), clock.wall()];
  jest.useFakeTimers();
  try {
    assert.ok(clock.now() >= before);
    await new Promise<void>((resolve) => void clock.timer(30, resolve));
    assert.ok(clock.now() - before >= 29);
    assert.ok(clock.wall() - wallBefore >= 25);
  } finally {
    jest.useRealTimers();
  }
  const after = clock.now();
  assert.ok(after - before >= 29);
});

test("Clock.soon() that calls itself lets events through", () =>
  withStarted({ mode: "echo" }, async (_process, channel) => {
    const received = receive(channel);
    let goesOn = true;
    const spin = () => {
      if (goesOn) clock.soon(spin);
    };
    spin();
    channel.write(new Uint8Array(100));
    await received.until(({ bytes }) => bytes === 100);
    goesOn = false;
  }));
