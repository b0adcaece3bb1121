// What a broker says of its cluster.
import type { ClusterStatus, MemberStatus } from "brokkr";

const CALLS = { ok: 7, error: 1, timeout: 2, retried: 0, late: 0, duplicate: 0, unknown: 0, cancelled: 0 };

/** Broker "web" on a node. */
export function sampleMember(node: string, over: Partial<MemberStatus> = {}): MemberStatus {
  return {
    broker: "web",
    node,
    state: "ready",
    pid: 12,
    version: "0.1.0",
    runtime: "node 20",
    uptimeMs: 61_000,
    silentMs: 412,
    exports: { sla: { state: "ready", pending: 2, commands: ["get"] } },
    ...over,
  };
}

/** Of a broker on node "front" that calls sla. */
export function sampleCluster(over: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    name: "prod",
    node: "front",
    state: "joined",
    server: "127.0.0.1:4222",
    reason: null,
    disconnects: 0,
    dropped: 0,
    running: 0,
    exports: {},
    members: [sampleMember("web-1")],
    imports: [{
      name: "sla",
      nodes: ["web-1"],
      pending: 3,
      calls: CALLS,
      latencyMs: { p50: 0.5, p99: 21, sumMs: 10, histogram: [{ upToMs: 1.024, count: 8 }] },
    }],
    ...over,
  };
}
