import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { family, metricsText } from "../../../src/cli/page/metrics.ts";
import { sampleCluster, sampleMember } from "../sample_cluster.ts";
import { sampleModule, sampleStatus } from "./sample_status.ts";

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const skip = hasPromtool ? false : "promtool is missing, it is in Debian's package prometheus";

const status = sampleStatus(
  {
    name: 'a "quoted"\\\nname',
    calls: { ok: 5, timeout: 1, late: 2 },
    histogram: [{ upToMs: 0.032, count: 1 }, { upToMs: 1.024, count: 3 }, { upToMs: 131_072, count: 1 }],
    workers: [sampleModule({ name: "w-1", privateBytes: null })],
  },
  { name: "other" },
);

function linesOf(text: string, start: string): string[] {
  return text.split("\n").filter((line) => line.startsWith(start));
}

test("metricsText() has the calls of each process by outcome, and escapes names", () => {
  const name = 'module="a \\"quoted\\"\\\\\\nname"';
  assert.deepEqual(linesOf(metricsText(status), "brokkr_calls_total").slice(0, 6), [
    `brokkr_calls_total{${name},outcome="ok"} 5`,
    `brokkr_calls_total{${name},outcome="retried"} 0`,
    `brokkr_calls_total{${name},outcome="timeout"} 1`,
    `brokkr_calls_total{${name},outcome="cancelled"} 0`,
    `brokkr_calls_total{${name},outcome="error"} 0`,
    `brokkr_calls_total{${name},worker="w-1",outcome="ok"} 0`,
  ]);
  assert.deepEqual(
    linesOf(metricsText(status), "brokkr_stray_answers_total")[0],
    `brokkr_stray_answers_total{${name},kind="late"} 2`,
  );
});

test("metricsText() has the broker's node with every figure, the other brokers by state, and the calls of imports", () => {
  const members = [sampleMember("web-1"), sampleMember("web-2", { state: "suspect" })];
  const text = metricsText({ ...status, cluster: sampleCluster({ members, disconnects: 3 }) });
  const samples = text.split("\n").filter((line) => line.startsWith("brokkr_"));
  assert.deepEqual(samples.filter((line) => !/^\w+\{node="front"[,}]/.test(line)), []);
  const cluster = linesOf(text, "brokkr_cluster_").filter((line) => !line.includes("latency"));
  assert.deepEqual(cluster.slice(0, 10), [
    'brokkr_cluster_joined{node="front"} 1',
    'brokkr_cluster_disconnects_total{node="front"} 3',
    'brokkr_cluster_dropped_total{node="front"} 0',
    'brokkr_cluster_running_calls{node="front"} 0',
    ...["ready", "suspect", "leaving", "incompatible"].map((state) =>
      `brokkr_cluster_member_state{node="front",member="web@web-1",state="${state}"} ${Number(state === "ready")}`
    ),
    'brokkr_cluster_member_state{node="front",member="web@web-2",state="ready"} 0',
    'brokkr_cluster_member_state{node="front",member="web@web-2",state="suspect"} 1',
  ]);
  assert.ok(cluster.includes('brokkr_cluster_target_nodes{node="front",target="sla"} 1'));
  assert.ok(cluster.includes('brokkr_cluster_calls_total{node="front",target="sla",outcome="ok"} 7'));
  assert.ok(
    linesOf(text, "brokkr_cluster_call_latency_seconds_count").includes(
      'brokkr_cluster_call_latency_seconds_count{node="front",target="sla"} 8',
    ),
  );
  assert.equal(metricsText(status).includes("cluster"), false);
});

test("metricsText() leaves out what the system can't tell", () => {
  const text = metricsText(status);
  assert.equal(linesOf(text, "brokkr_process_private_bytes").length, 2);
  assert.equal(linesOf(text, "brokkr_process_proportional_bytes").length, 3);
  assert.equal(text.includes("brokkr_cleanup"), false);
  assert.equal(text.includes("null"), false);
});

test("metricsText() has a latency histogram whose counts add up from bucket to bucket", () => {
  const lines = linesOf(metricsText(status), "brokkr_call_latency_seconds_").filter((line) => line.includes("quoted"))
    .filter((line) => !line.includes("worker="));
  const buckets = lines.filter((line) => line.includes("_bucket")).map((line) => [
    /,le="([^"]+)"/.exec(line)?.[1],
    line.split(" ").at(-1),
  ]);
  assert.deepEqual(buckets.slice(0, 6), [
    ["0.000064", "1"],
    ["0.000128", "1"],
    ["0.000256", "1"],
    ["0.000512", "1"],
    ["0.001024", "4"],
    ["0.002048", "4"],
  ]);
  assert.deepEqual(buckets.slice(-2), [["33.554432", "4"], ["+Inf", "5"]]);
  assert.deepEqual(lines.slice(-2).map((line) => line.replace(/\{.*\}/, "")), [
    "brokkr_call_latency_seconds_sum 0.25",
    "brokkr_call_latency_seconds_count 5",
  ]);
});

test("family() has its help and type before its samples, and is nothing without samples", () => {
  const about = { help: "one\\two\nthree", type: "gauge" } as const;
  assert.equal(family("x", about, []), "");
  assert.equal(
    family("x", about, [{ labels: {}, value: 1 }]),
    "# HELP x one\\\\two\\nthree\n# TYPE x gauge\nx 1\n",
  );
});

test("promtool finds nothing wrong with the metrics", { skip }, () => {
  const { status: code, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
    input: metricsText(status),
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
});
