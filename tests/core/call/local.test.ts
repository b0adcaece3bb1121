import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnCommands } from "../../../src/core/broker/own_commands.ts";
import { CallClient, DEFAULT_LIMITS } from "../../../src/core/call/client.ts";
import { CallCounters } from "../../../src/core/call/outcomes.ts";
import { localPeer } from "../../../src/core/call/local.ts";
import { CallStream } from "../../../src/core/call/stream.ts";
import type { CallRequest } from "../../../src/core/call/call.ts";
import { ProcessGoneError } from "../../../src/core/faults.ts";
import { commandMap } from "../../../src/core/module/module.ts";
import type { CallContext, Commands } from "../../../src/core/module/definition.ts";
import { FakeRuntime } from "../fake_runtime.ts";
import { TestReporter } from "../log_of.ts";
import { rejection } from "./conversation.ts";

/** The commands of a broker itself, which a channel within the process leads to. */
class Own {
  readonly runtime = new FakeRuntime();
  readonly clock = this.runtime.clock;
  readonly reporter = new TestReporter();
  readonly own: OwnCommands;

  constructor(commands: Commands) {
    const { runtime, reporter } = this;
    this.own = new OwnCommands({ runtime, reporter, broker: "b", commands: commandMap("commands", commands) });
  }

  call(command: string, options: Partial<CallRequest> = {}): Promise<unknown> {
    return this.own.caller.call(command, [], { ...REQUEST, ...options });
  }

  stream(command: string): CallStream {
    return new CallStream(command, [], () => ({ caller: this.own.caller, options: REQUEST }));
  }
}

function fail(): never {
  throw new Error("mine");
}

const REQUEST = { target: "b", timeoutMs: 1_000, retry: "once" } as const;

test("onProgress that throws leaves the broker's own commands as they were", async () => {
  const own = new Own({
    told(this: CallContext) {
      this.progress(1);
      return "told";
    },
  });
  const error = new Error("mine");
  for (let call = 0; call < 5; call++) {
    const result = own.call("told", {
      onProgress: () => {
        throw error;
      },
    });
    assert.deepEqual(await own.clock.uncaught(), [error]);
    assert.equal(await result, "told");
  }
  assert.deepEqual(own.reporter.ids(), Array.from({ length: 5 }, () => ["command.executing", "call.answered"]).flat());
});

for (const atATime of [1, 64]) {
  test(`a loop of ${atATime} calls at a time of the broker's own commands lets the event loop turn`, async () => {
    const own = new Own({ get: () => 1 });
    let [made, done, turns] = [0, 0, 0];
    const loops = Array.from({ length: atATime }, async () => {
      while (made++ < 200 * atATime) {
        await own.call("get");
        done++;
      }
    });
    // Whatever needs no turn of the loop has run by then.
    const rest = () => new Promise((resolve) => setTimeout(resolve, 0));
    for (await rest(); done < 200 * atATime; await rest()) {
      turns++;
      await own.clock.advance(0);
    }
    await Promise.all(loops);
    assert.notEqual(turns, 0);
  });
}

test("a generator of the broker's own whose end throws ends its call, and the broker's commands close", async () => {
  const own = new Own({
    *items() {
      try {
        for (;;) yield 1;
      } finally {
        fail();
      }
    },
  });
  for (let left = 0; left < 5; left++) {
    const stream = own.stream("items");
    const first = stream.next();
    await own.clock.advance(0);
    await first;
    const end = stream.return();
    await own.clock.advance(50);
    assert.deepEqual(await end, { value: undefined, done: true });
  }
  const running = own.stream("items").next();
  await own.clock.advance(0);
  await running;
  own.own.close();
  assert.equal(own.reporter.ids().filter((id) => id === "command.error").length, 5);
  await own.clock.advance(60_000);
  assert.equal(own.clock.timers, 0);
});

test("the end of the broker rejects the calls of its own commands at once, those that run and those that are made later", async () => {
  for (const isUsed of [true, false]) {
    const own = new Own({ forever: () => new Promise(() => {}), plain: () => 1 });
    const running = isUsed ? [rejection(own.call("forever"))] : [];
    await own.clock.advance(0);
    own.own.close();
    const calls = [...running, rejection(own.call("plain"))];
    await own.clock.advance(0);
    for (const error of await Promise.all(calls)) {
      assert.ok(error instanceof ProcessGoneError, String(error));
      assert.match(error.message, /: the broker has stopped$/);
    }
    assert.deepEqual([own.own.caller.pending, own.clock.timers], [0, 0]);
  }
});

test("a connection within the process that is lost rejects what it carried, and the next call goes over a new one", async () => {
  const { clock } = new FakeRuntime();
  const reporter = new TestReporter();
  const common = { clock, reporter, module: "b", ownFiles: [] };
  const caller = new CallClient({
    ...common,
    counters: new CallCounters(),
    limits: DEFAULT_LIMITS,
    frameLimit: 1024 * 1024,
    thread: () => undefined,
  });
  const commands = commandMap("commands", { forever: () => new Promise(() => {}), plain: () => 1 });
  const peer = localPeer({ ...common, caller, service: { commands }, peer: "b" });
  caller.connect(peer.link);
  const lost = rejection(caller.call("forever", [], REQUEST));
  await clock.advance(0);
  peer.link.close("made up");
  const error = await lost;
  assert.ok(error instanceof ProcessGoneError, String(error));
  const reason = "its connection within this process was lost: made up";
  assert.equal(error.message, `Cannot call command "forever" of module "b": ${reason}`);
  const again = caller.call("plain", [], REQUEST);
  await clock.advance(0);
  assert.equal(await again, 1);
  assert.ok(reporter.lines().some((line) => line.endsWith(`because of error: ${reason}`)));
  peer.close();
  await clock.advance(60_000);
  assert.deepEqual([caller.pending, clock.timers], [0, 0]);
});
