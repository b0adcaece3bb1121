import assert from "node:assert/strict";
import { test } from "node:test";
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
