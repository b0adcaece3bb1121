/** The state of the hosts now. Two workers count, so that the module itself always has time to answer. */

import { defineModule } from "brokkr";
import { monthsInThisProcess, type Report, sla } from "./sla.ts";

export type State = "up" | "down" | "unreachable";

/** Each host's state; the workers count in it. */
const hosts = new Map(Array.from({ length: 120 }, (_, number) => [`host-${number}`, stateOf(number)]));

/** Who wants to know of changes; only the module's own process talks to them. */
const subscribers = new Set(["web", "mail"]);

export interface ModuleInfo {
  readonly name: string;
  readonly up: number;
  readonly down: number;
}

export const livestatus = defineModule({
  name: "Livestatus",
  workers: {
    count: 2,
    commands: {
      count_hosts: (state: State) => [...hosts.values()].filter((found) => found === state).length,
      // Without an arrow, `this` is the context of the call.
      describe: function () {
        return { caller: this.caller, subscribers: subscribers.size, slaMonths: monthsInThisProcess() };
      },
    },
    afterForkCleanup() {
      subscribers.clear();
    },
  },
  commands: (ctx) => ({
    get_module_info: async (): Promise<ModuleInfo> => {
      const [up, down] = await Promise.all([
        ctx.workers.call("count_hosts", ["up"]),
        ctx.workers.call("count_hosts", ["down"]),
      ]);
      return { name: ctx.module, up, down };
    },
    describe_worker: () => ctx.workers.call("describe"),
    /** Modules call each other through the broker. */
    get_dashboard: async (month: string): Promise<{ up: number; report: Report }> => ({
      up: await ctx.workers.call("count_hosts", ["up"]),
      report: await ctx.call(sla, "get_report", [month]),
    }),
    months: () => monthsInThisProcess(),
  }),
  start(ctx) {
    ctx.log.info(`${hosts.size} hosts, ${subscribers.size} subscribers`);
  },
  stop(ctx) {
    ctx.log.info("the last states are saved");
  },
});

function stateOf(number: number): State {
  if (number % 10 === 7) return "down";
  return number % 40 === 5 ? "unreachable" : "up";
}
