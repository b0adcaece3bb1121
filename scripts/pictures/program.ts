/** What the pictures show: a broker at work, with a command that is slow now and then. */

import { Broker, defineModule } from "brokkr";

const history = new Map(Array.from({ length: 5_000 }, (_, index) => [`host-${index}`, { up: index % 7 !== 0 }]));

const livestatus = defineModule({
  name: "Livestatus",
  workers: {
    count: 2,
    commands: {
      count_hosts: (state: "up" | "down") => [...history.values()].filter(({ up }) => up === (state === "up")).length,
    },
  },
  commands: (ctx) => ({
    get_hosts: (state: "up" | "down"): Promise<number> => ctx.workers.call("count_hosts", [state]),
  }),
  owns: [history],
});

const sla = defineModule({
  name: "sla",
  commands: {
    get_report: (month: string) => ({ month, availability: 99.7 }),
    rebuild: (ms: number): Promise<string> => new Promise((resolve) => setTimeout(resolve, ms, "done")),
  },
});

const webui = defineModule({
  name: "WebUI",
  commands: (ctx) => ({ get_page: async (): Promise<unknown> => await ctx.call("sla", "get_report", ["2021-10"]) }),
});

const broker = await Broker.start({
  name: "broker-master",
  modules: [livestatus, sla, webui],
  control: true,
  log: () => {},
});
const ignored = () => {};
const every = (ms: number, call: () => Promise<unknown>) => setInterval(() => void call().catch(ignored), ms);
every(2, () => broker.call(sla, "get_report", ["2021-10"]));
every(20, () => broker.call(livestatus, "get_hosts", ["up"]));
every(10, () => broker.call(webui, "get_page"));
every(900, () => broker.call(sla, "rebuild", [300], { timeoutMs: 200 }));
console.log("ready");
