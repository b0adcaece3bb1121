/** The program: a broker with two modules, one of them with two workers. */

import { Broker, RemoteError } from "brokkr";
import { livestatus } from "./livestatus.ts";
import { monthsInThisProcess, sla } from "./sla.ts";

// From here on only the parent goes on. The processes that are made from this program serve their module instead.
await using broker = await Broker.start({ name: "broker-master", modules: [livestatus, sla] });

const info = await broker.call(livestatus, "get_module_info");
console.log(`${info.name}: ${info.up} hosts are up, ${info.down} are down`);

const { up, report } = await broker.call(livestatus, "get_dashboard", ["2021-10"]);
console.log(`dashboard: ${up} hosts up, ${report.availability} % in ${report.month}`);

const worker = await broker.call(livestatus, "describe_worker");
console.log(
  `a worker, called by ${worker.caller}: ${worker.subscribers} subscribers, ${worker.slaMonths} months of sla`,
);

const months = await Promise.all([
  broker.call(livestatus, "months"),
  broker.call(sla, "get_module_info").then((answer) => answer.months),
]);
console.log(`months of sla: ${monthsInThisProcess()} in the parent, ${months[0]} in Livestatus, ${months[1]} in sla`);

try {
  await broker.call(sla, "get_report", ["2035-01"], { timeoutMs: 500 });
} catch (error) {
  if (!(error instanceof RemoteError)) throw error;
  console.log(`${error.remoteName} in sla: ${error.message}`);
}
