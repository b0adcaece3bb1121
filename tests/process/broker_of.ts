import { Broker, BrokerError, type BrokerOptions, type LogRecord } from "brokkr";
import assert from "node:assert/strict";
import { livestatus, sla, webui } from "../fixtures/broker/modules.ts";

export const PROGRAM = new URL("../fixtures/broker/program.ts", import.meta.url);

/** A broker of the fixture's modules and everything it logs. Ends with the test. */
export class TestBroker implements AsyncDisposable {
  readonly broker: Broker;
  readonly records: LogRecord[];

  private constructor(broker: Broker, records: LogRecord[]) {
    this.broker = broker;
    this.records = records;
  }

  static async start(options: Partial<BrokerOptions> = {}): Promise<TestBroker> {
    const records: LogRecord[] = [];
    const broker = await Broker.start({
      name: "broker-master",
      modules: [livestatus, sla, webui],
      program: PROGRAM,
      logLevel: "debug",
      log: (record) => void records.push(record),
      ...options,
    });
    return new TestBroker(broker, records);
  }

  /** Lines of the events that `ids` matches, without their time stamps. */
  lines(ids: RegExp): string[] {
    return this.records.filter(({ event }) => ids.test(event)).flatMap((record) => record.lines())
      .map((line) => line.replace(/^\[[^\]]*\] /, ""));
  }

  async pidOf(name: string): Promise<number> {
    const { modules } = await this.broker.status();
    for (const process of modules.flatMap((module) => [module, ...module.workers])) {
      if (process.name === name && process.pid !== null) return process.pid;
    }
    throw new Error(`process ${name} has no pid`);
  }

  /** Waits until `condition` holds; the test's own deadline is what ends it otherwise. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop();
  }
}

/** Whether a process of that pid runs; one that has ended and was not yet collected does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const { readFile } = await import("node:fs/promises");
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** What a call is rejected with. */
export async function rejection(call: Promise<unknown>): Promise<BrokerError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof BrokerError, String(error));
    return error;
  }
  throw new Error("the call was not rejected");
}
