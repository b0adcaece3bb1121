/**
 * Types of modules and their calls. What is in functions named `types…` is only compiled: `@ts-expect-error` fails the check where a line that
 * must not compile does.
 */

import type { Broker, CommandsOf, ItemStream, Module, ModuleContext, ParamsOf, ResultOf, StandardSchema } from "brokkr";
import * as brokkr from "brokkr";
import { defineModule } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Equal, same } from "./same.ts";

const sla = defineModule({
  name: "sla",
  commands: {
    get_report: (month: string, detailed?: boolean) => ({ month, detailed, availability: 99.7 }),
    wait: (ms: number): Promise<string> => new Promise((resolve) => setTimeout(resolve, ms, "waited")),
    nothing() {},
    who: function () {
      same<Equal<typeof this.attempt, number>>();
      // @ts-expect-error the context has no such field
      void this.module;
      return this.caller;
    },
    signal() {
      return this.signal.aborted;
    },
  },
});

const region: StandardSchema<{ region?: string }, { readonly region: "EU" | "US" }> = {
  "~standard": { version: 1, vendor: "by hand", validate: () => ({ value: { region: "EU" } }) },
};

/** Options as their schema makes them, in the module and in its workers. */
export const shop = defineModule({
  name: "shop",
  optionsSchema: region,
  workers: { count: 1, commands: (ctx) => ({ worker_region: () => ctx.options.region }) },
  commands: (ctx) => ({
    region: () => ctx.options.region,
    // @ts-expect-error the options have no such field
    currency: () => ctx.options.currency,
    of_worker: () => ctx.workers.call("worker_region"),
  }),
  start(ctx) {
    same<Equal<typeof ctx.options, { readonly region: "EU" | "US" }>>();
  },
});
same<Equal<ResultOf<CommandsOf<typeof shop>["region"]>, "EU" | "US">>();
same<Equal<ResultOf<CommandsOf<typeof shop>["of_worker"]>, "EU" | "US">>();

/** Commands and workers as functions of the context. */
const livestatus = defineModule({
  name: "Livestatus",
  workers: {
    count: 2,
    commands: (ctx) => ({
      count_hosts: (state: "up" | "down") => state.length + ctx.module.length,
      who: function () {
        return this.caller;
      },
    }),
  },
  commands: (ctx) => ({
    count: async (): Promise<number> => await ctx.workers.call("count_hosts", ["up"]),
    sum: async (states: ("up" | "down")[]): Promise<number> => {
      let sum = 0;
      for await (const count of ctx.workers.map(states, { command: "count_hosts" })) sum += count;
      return sum;
    },
    ask_sla: async (): Promise<number> => (await ctx.call(sla, "get_report", ["2021-10"])).availability,
    id() {
      same<Equal<typeof this.id, number>>();
      return this.id;
    },
    wrong: () => {
      // @ts-expect-error a worker has no such command
      void ctx.workers.call("count_host", ["up"]);
      // @ts-expect-error a parameter of another type
      void ctx.workers.call("count_hosts", ["away"]);
      // @ts-expect-error sla has no such command
      void ctx.call(sla, "get_reprot", ["2021-10"]);
    },
  }),
  start(ctx) {
    same<Equal<ReturnType<typeof callWorker>, Promise<number>>>();
    function callWorker() {
      return ctx.workers.call("count_hosts", ["down"]);
    }
  },
});

/** Workers as an object, with `this`. */
const counters = defineModule({
  name: "counters",
  workers: {
    count: 1,
    commands: {
      add: function (a: number, b: number) {
        same<Equal<typeof this.caller, string>>();
        return { sum: a + b, caller: this.caller };
      },
    },
  },
  commands: (ctx) => ({ add: (a: number, b: number) => ctx.workers.call("add", [a, b]) }),
});

/** Two modules that call each other say what they return. */
const ping: Pinger = defineModule({
  name: "ping",
  commands: (ctx) => ({
    ping: async (turns: number): Promise<string> => turns === 0 ? "ping" : await ctx.call(pong, "pong", [turns - 1]),
  }),
});
const pong = defineModule({
  name: "pong",
  commands: (ctx) => ({
    pong: async (turns: number): Promise<string> => turns === 0 ? "pong" : await ctx.call(ping, "ping", [turns - 1]),
  }),
});
type Pinger = Module<"ping", { readonly ping: (turns: number) => Promise<string> }>;

async function typesOfCalls(broker: Broker) {
  const report = await broker.call(sla, "get_report", ["2021-10"]);
  same<Equal<typeof report, { month: string; detailed: boolean | undefined; availability: number }>>();
  const waited = await broker.call(sla, "wait", [1], { timeoutMs: 5, signal: AbortSignal.timeout(1), thread: "T" });
  same<Equal<typeof waited, string>>();
  const nothing = await broker.call(sla, "nothing");
  same<Equal<typeof nothing, void>>();
  const caller = await broker.call(sla, "who");
  same<Equal<typeof caller, string>>();
  const sum = await broker.call(counters, "add", [1, 2]);
  same<Equal<typeof sum, { sum: number; caller: string }>>();
  const counted = await broker.call(livestatus, "count");
  same<Equal<typeof counted, number>>();
  const last = await broker.call(pong, "pong", [3]);
  same<Equal<typeof last, string>>();

  const byName = await broker.call("sla", "get_report", ["2021-10"]);
  same<Equal<typeof byName, unknown>>();
  // @ts-expect-error what comes by a name is unknown
  void byName.month;

  // @ts-expect-error there is no such command
  await broker.call(sla, "get_reprot", ["2021-10"]);
  // @ts-expect-error the parameter is a string
  await broker.call(sla, "get_report", [2021]);
  // @ts-expect-error there is no third parameter
  await broker.call(sla, "get_report", ["2021-10", true, 1]);
  // @ts-expect-error workers' commands are the module's own affair
  await broker.call(livestatus, "count_hosts", ["up"]);
  // @ts-expect-error the unit is in the name
  await broker.call(sla, "wait", [1], { timeout: 5 });
}

/** Commands as functions, and those of workers from outside. */
async function typesOfHandles(broker: Broker) {
  const module = broker.module(mixed, { timeoutMs: 5 });
  const report = await module.get_report("2021-10");
  same<Equal<typeof report, { month: string }>>();
  same<Equal<keyof typeof module, "get_report" | "fails">>();
  same<Equal<ReturnType<typeof module.fails>, Promise<never>>>();
  // @ts-expect-error there is no such command
  module.get_reprot;
  // @ts-expect-error the month is a text
  await module.get_report(10);
  // @ts-expect-error what yields is streamed
  module.days(3);
  // @ts-expect-error the unit is in the name
  broker.module(mixed, { timeout: 5 });

  const workers = broker.workers(livestatus);
  const count = await workers.call("count_hosts", ["up"]);
  same<Equal<typeof count, number>>();
  const states: ("up" | "down")[] = ["up", "down"];
  const counts = workers.map(states, { command: "count_hosts", concurrency: 8, ordered: false });
  same<Equal<typeof counts, ItemStream<number>>>();
  // @ts-expect-error a worker has no such command
  workers.map(states, { command: "count_host" });
  // @ts-expect-error an item of another type
  workers.map(["away"], { command: "count_hosts" });
  // @ts-expect-error a command is needed
  workers.map(states, {});
  const byName = await broker.workers("Livestatus").call("count_hosts", ["up"]);
  same<Equal<typeof byName, unknown>>();
  await broker.scale(livestatus, 4);
}
const mixed = defineModule({
  name: "mixed",
  commands: {
    get_report: (month: string) => ({ month }),
    *days(count: number) {
      yield count;
    },
    fails: (): never => {
      throw new Error("always");
    },
    then: () => "a command that no promise has",
  },
});

function typesOfModules() {
  // @ts-expect-error a module has a name
  defineModule({ commands: {} });
  // @ts-expect-error a command is a function
  defineModule({ name: "x", commands: { wrong: 1 } });
  // @ts-expect-error one of three policies
  defineModule({ name: "x", restart: "sometimes" });
  defineModule({
    name: "x",
    // @ts-expect-error there are no workers to call
    commands: (ctx) => ({ wrong: () => ctx.workers.call("any") }),
  });
  // @ts-expect-error workers have a count
  defineModule({ name: "x", workers: { commands: {} } });
  same<Equal<typeof sla.name, "sla">>();
}

/** Where the compiler has no commands to infer from, there are none. */
async function typesOfNothing(broker: Broker) {
  const silent = defineModule({ name: "silent" });
  same<Equal<keyof CommandsOf<typeof silent>, never>>();
  // @ts-expect-error it has no commands
  await broker.call(silent, "any");
}

same<Equal<ParamsOf<(month: string) => void>, [month: string]>>();
same<Equal<ResultOf<() => Promise<number>>, number>>();
same<Equal<ModuleContext["options"], unknown>>();

test("mod.ts exports these values and no other", () => {
  assert.deepEqual(Object.keys(brokkr).sort(), [
    "Broker",
    "BrokerError",
    "CallCancelledError",
    "CallTimeoutError",
    "PayloadError",
    "ProcessGoneError",
    "QueueFullError",
    "RemoteError",
    "UnknownCommandError",
    "UnknownModuleError",
    "defineModule",
    "defineProgram",
    "remote",
    "withSchema",
    "withThread",
  ]);
});

test("the types of calls and modules compile as this file says", () => {
  // The compiler has tested them; here is only proof that it saw them.
  assert.deepEqual([typesOfCalls, typesOfHandles, typesOfModules, typesOfNothing].map(({ length }) => length), [
    1,
    1,
    0,
    1,
  ]);
  assert.deepEqual([sla, livestatus, counters, ping, pong].map(({ name }) => name), [
    "sla",
    "Livestatus",
    "counters",
    "ping",
    "pong",
  ]);
});
