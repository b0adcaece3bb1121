import { type BrokerError, type BrokerOptions, defineModule } from "brokkr";
import { readdir } from "node:fs/promises";
import process from "node:process";
import { frame } from "../core/frames.ts";
import { rejection, TestBroker } from "./broker_of.ts";

const ROGUE = new URL("../fixtures/broker/rogue.ts", import.meta.url);
const ANSWERS = 3;

/** A broker whose module `rogue` speaks the wire by hand. Ends with the test. */
export class RogueBroker implements AsyncDisposable {
  readonly t: TestBroker;
  /** Of the first process, or null where it did not start. */
  readonly pid: number | null;
  readonly #descriptors: number;

  private constructor(t: TestBroker, known: { pid: number | null; descriptors: number }) {
    this.t = t;
    this.pid = known.pid;
    this.#descriptors = known.descriptors;
  }

  static async start(options: Partial<BrokerOptions> = {}): Promise<RogueBroker> {
    const modules = [defineModule({ name: "rogue", commands: {} })];
    const t = await TestBroker.start({ modules, program: ROGUE, ...options });
    const [status] = (await t.broker.status()).modules;
    return new RogueBroker(t, { pid: status?.pid ?? null, descriptors: await openDescriptors() });
  }

  async call(command: string, params: readonly unknown[] = [], timeoutMs = 20_000): Promise<unknown> {
    return await this.t.broker.call("rogue", command, params, { timeoutMs });
  }

  /** A call whose process writes answers frames of these texts. */
  async answers(...texts: readonly string[]): Promise<unknown> {
    return await this.call("send", [texts.map((text) => [ANSWERS, text])]);
  }

  /** What a call of `command` is rejected with. */
  async rejection(command: string, params: readonly unknown[], timeoutMs = 20_000): Promise<BrokerError> {
    return await rejection(this.call(command, params, timeoutMs));
  }

  /** The counters of the module that are not 0. */
  async counts(): Promise<Record<string, number>> {
    const [rogue] = (await this.t.broker.status()).modules;
    return Object.fromEntries(Object.entries(rogue?.calls ?? {}).filter(([, count]) => count > 0));
  }

  /** Texts of the lines of these events, without their prefix. */
  texts(ids: RegExp): string[] {
    return this.t.lines(ids).map((line) => line.replace(/^.*? \[ PID:\d+ \] (\[ MainThread \] )?/, ""));
  }

  /** Waits until the broker has as many open descriptors as at the start: none of a process or channel that is gone. */
  async nothingLeft(): Promise<void> {
    await this.t.until(async () => await openDescriptors() <= this.#descriptors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.t.broker.stop();
  }
}

/** The bytes of a frame, as parameters carry them. */
export function bytesOfFrame(type: number, body: string): number[] {
  return [...frame(type, body)];
}

/** 0 where the system does not tell. */
async function openDescriptors(): Promise<number> {
  return process.platform === "linux" ? (await readdir("/proc/self/fd")).length : 0;
}
