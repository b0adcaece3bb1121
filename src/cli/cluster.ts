/** `brokkr cluster check`: whether the broker of a configuration can be a member of its cluster. */

import { checkCluster, type CheckResult } from "../core/cluster/check.ts";
import { clusterPlan } from "../core/cluster/plan.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { asUsage, ExitCode } from "./exit_codes.ts";
import type { ArgsOf } from "./commands.ts";
import { nearestConfig } from "./config/config_file.ts";
import { readConfig } from "./config/read_config.ts";
import { hasColors, print } from "./output.ts";
import { paint, wrap } from "./terminal.ts";
import { clusterOf } from "./plan.ts";

export async function cluster(
  runtime: Runtime,
  { file = nearestConfig("cluster check"), name, json }: ArgsOf<"cluster">,
): Promise<number> {
  const { broker, node, cluster, connected } = await prepare(runtime, file, name);
  const checks = await connected();
  const isGood = checks.every(({ result }) => result !== "failed");
  if (json) await print(`${JSON.stringify({ ok: isGood, file, cluster, broker, node, checks })}\n`);
  else {
    const colors = hasColors("stdout");
    await print(
      `cluster ${cluster}, broker ${broker} on node ${node}\n${checks.map((one) => text(one, colors)).join("")}`,
    );
  }
  return isGood ? ExitCode.done : ExitCode.failed;
}

async function prepare(runtime: Runtime, file: string, name: string | undefined) {
  try {
    const config = await readConfig(file, runtime, name);
    const { cluster } = await clusterOf(config);
    if (cluster === undefined) throw new Error(`${file} has no "cluster": see docs/cluster.md`);
    const broker = config.broker.name;
    const plan = await clusterPlan(cluster, broker, config.modules.map(({ name }) => name));
    const connected = () => checkCluster({ plan, broker, clock: runtime.clock, newId: () => runtime.newId() });
    return { broker, node: plan.node, cluster: plan.name, connected };
  } catch (error) {
    throw asUsage(error);
  }
}

const STYLES = { ok: "green", warning: "yellow", failed: "red" } as const satisfies Record<
  CheckResult["result"],
  string
>;
const WIDTH = 100;

function text({ about, result, text, remedy }: CheckResult, colors: boolean): string {
  const head = `${paint(result.padEnd(8), STYLES[result], colors)} ${about.padEnd(12)} `;
  const indent = " ".repeat(22);
  const body = [...wrap(text, WIDTH), ...(remedy === null ? [] : wrap(`→ ${remedy}`, WIDTH))];
  return `${head}${body.join(`\n${indent}`)}\n`;
}
