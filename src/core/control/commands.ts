/**
 * The broker's own commands, for those who hold its control socket.
 *
 * @module
 */

import { progressTo } from "../call/forward.ts";
import { BrokerError, toFault } from "../faults.ts";
import type { BrokerCore } from "../broker/broker.ts";
import type { CallContext, Handler } from "../module/module.ts";
import { itemsOf, recordsOf } from "./items.ts";
import type { Envelope, MeasuredResult } from "./protocol.ts";

export interface ControlCommandsOptions {
  readonly now: () => number;
  /** Ends the broker. */
  readonly stop: () => Promise<void>;
}

/** `call`, `status`, `restart`, `reload`, `stop` answer with an {@link Envelope}; `stream` and `records` yield theirs. */
export function controlCommands(core: BrokerCore, options: ControlCommandsOptions): ReadonlyMap<string, Handler> {
  // From now on they are kept.
  core.recentRecords();
  return new Map<string, Handler>([
    ["status", inEnvelope(() => core.status())],
    ["call", inEnvelope((params, context) => measuredCall(core, params, { context, now: options.now }))],
    ["stream", function (this: CallContext, ...params) {
      return itemsOf(streamBy(core, params, this));
    }],
    ["records", (filter: unknown) => recordsOf(core, filter)],
    ["restart", inEnvelope(([name]) => core.restart(nameIn(name)))],
    ["reload", inEnvelope(([name]) => core.reload(nameIn(name)))],
    ["stop", inEnvelope(([name]) => typeof name === "string" ? core.stopModule(name) : options.stop())],
  ]);
}

type Command = (params: readonly unknown[], context: CallContext) => Promise<unknown>;

/** Errors of a call cross in an envelope, because a handler's own ones would reach the caller as remote errors. */
function inEnvelope(command: Command): Handler {
  return async function (this: CallContext, ...params: unknown[]): Promise<Envelope> {
    try {
      const value = await command(params, this);
      return value === undefined ? { ok: true } : { ok: true, value };
    } catch (error) {
      if (error instanceof BrokerError) return { ok: false, fault: toFault(error) };
      throw error;
    }
  };
}

async function measuredCall(
  core: BrokerCore,
  [target, command, params, settings]: readonly unknown[],
  { context, now }: { context: CallContext; now: () => number },
): Promise<MeasuredResult> {
  if (typeof target !== "string" || typeof command !== "string" || !Array.isArray(params)) {
    throw new TypeError("Cannot call: target, command and list of params must be given");
  }
  const timeoutMs = timeoutIn(settings);
  const since = now();
  const asked = {
    signal: context.signal,
    onProgress: progressTo(context),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const { value, attempts } = await core.measure(target, command, params, asked);
  const took = { attempts, ms: Math.round((now() - since) * 1_000) / 1_000 };
  return value === undefined ? took : { value, ...took };
}

function streamBy(
  core: BrokerCore,
  [target, command, params, settings]: readonly unknown[],
  { signal }: CallContext,
): AsyncIterable<unknown> {
  if (typeof target !== "string" || typeof command !== "string" || !Array.isArray(params)) {
    throw new TypeError("Cannot stream: target, command and list of params must be given");
  }
  const timeoutMs = timeoutIn(settings);
  return core.stream(target, command, params, { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

function timeoutIn(settings: unknown): number | undefined {
  if (typeof settings !== "object" || settings === null || !("timeoutMs" in settings)) return undefined;
  return typeof settings.timeoutMs === "number" ? settings.timeoutMs : undefined;
}

function nameIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
