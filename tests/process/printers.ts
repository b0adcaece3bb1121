import { Broker, type LogRecord, type ModuleSettings } from "brokkr";
import { printer, quiet } from "../fixtures/broker/printer.ts";

const PROGRAM = new URL("../fixtures/broker/printer.ts", import.meta.url);

/** A broker of a module that prints and one that does not, and everything it logs. Ends with the test. */
export class Printers implements AsyncDisposable {
  readonly broker: Broker;
  readonly #records: LogRecord[];

  private constructor(broker: Broker, records: LogRecord[]) {
    this.broker = broker;
    this.#records = records;
  }

  static async start(settings: ModuleSettings = {}): Promise<Printers> {
    const records: LogRecord[] = [];
    const broker = await Broker.start({
      name: "printers",
      modules: [printer, quiet],
      settings: { printer: settings },
      program: PROGRAM,
      log: (record) => void records.push(record),
    });
    return new Printers(broker, records);
  }

  async print(text: string): Promise<void> {
    await this.broker.call(printer, "print", [new TextEncoder().encode(text)]);
  }

  of(event: string): LogRecord[] {
    return this.#records.filter((record) => record.event === event);
  }

  /** Lines of an event, without their time stamps. */
  lines(event: string): string[] {
    return this.of(event).flatMap((record) => record.lines()).map((line) => line.replace(/^\[[^\]]*\] /, ""));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop();
  }
}
