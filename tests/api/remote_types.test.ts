import type { Broker, RemoteModule } from "brokkr";
import { defineModule, remote } from "brokkr";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Equal, same } from "./same.ts";

const sla = defineModule({
  name: "sla",
  commands: {
    get_report: (month: string) => ({ month, availability: 99.7 }),
    async *days(count: number) {
      for (let day = 0; day < count; day++) yield { day };
    },
  },
});

test("remote() makes a module of its name, which has nothing of the file", () => {
  const module = remote<typeof sla>("sla@web-1");
  assert.deepEqual(module, { name: "sla@web-1", definition: { name: "sla@web-1" } });
});

/** Only compiled. */
export async function types(broker: Broker): Promise<void> {
  const module = remote<typeof sla>("sla");
  same<Equal<typeof module, RemoteModule<typeof sla>>>();
  const report = await broker.call(module, "get_report", ["2021-10"]);
  same<Equal<typeof report, { month: string; availability: number }>>();
  for await (const item of broker.stream(remote<typeof sla>("sla@web-1"), "days", [3])) {
    same<Equal<typeof item, { day: number }>>();
  }
  // @ts-expect-error there is no such command
  await broker.call(module, "get_reprot");
  // @ts-expect-error the month is a text
  await broker.call(module, "get_report", [10]);
  // @ts-expect-error that is another module's name
  remote<typeof sla>("WebUI");
}
