import type { LogEvent } from "../../../src/core/log/events.ts";

const HEAD = { time: new Date(2021, 9, 11, 6, 10, 52).getTime(), pid: 10, module: "sla", thread: "MainThread" };
const FIGURES = { pssBytes: 157_286_400, privateBytes: 104_857_600, heapBytes: null, openFiles: 30 };
const AFTER = { pssBytes: 31_457_280, privateBytes: 12_582_912, heapBytes: null, openFiles: 12 };
const PREFIX = "[2021-10-11 06:10:52]";
const PROCESS = "[ broker-master ] [ sla ] [ PROCESS ] [ PID:10 ] [ MainThread ]";
const ANSWER = "[ broker-master ] [ sla ] [ ANSWER ] [ PID:10 ] [ MainThread ]";
const HEARTBEAT = "[ broker-master ] [ sla ] [ HEARTBEAT ] [ PID:10 ] [ MainThread ]";
const BROKER = "[ broker-master ] [ sla ] [ BROKER ] [ PID:10 ] [ MainThread ]";
const CLUSTER = "[ broker-master ] [ sla ] [ CLUSTER ] [ PID:10 ] [ MainThread ]";
const LOG = "[ broker-master ] [ sla ] [ LOG ] [ PID:10 ] [ MainThread ]";

/** An event of each of brokkr's own tags, and its line under the broker's name `broker-master`. */
export const OWN_SAMPLES: readonly (readonly [event: LogEvent, line: string])[] = [
  [
    {
      ...HEAD,
      event: "cleanup.receipt",
      fields: {
        ms: 143,
        released: ["Livestatus", "WebUI"],
        errors: 1,
        modules: [],
        leftovers: [],
        before: FIGURES,
        after: AFTER,
      },
    },
    `${PREFIX} DEBUG : [ broker-master ] [ sla ] [ CLEANUP RECEIPT ] [ PID:10 ] [ MainThread ] Released 2 modules [Livestatus, WebUI] in 0.143s, errors 1, PSS 150.0 MiB to 30.0 MiB, private memory 100.0 MiB to 12.0 MiB, heap unknown to unknown, open files 30 to 12`,
  ],
  [
    { ...HEAD, event: "answer.late", fields: { target: "WebUI", command: "get", id: "7" } },
    `${PREFIX} DEBUG : ${ANSWER} Late answer from WebUI was discarded (call 7, command [get])`,
  ],
  [
    { ...HEAD, event: "answer.duplicate", fields: { target: "WebUI", command: null, id: "7" } },
    `${PREFIX} DEBUG : ${ANSWER} Duplicate answer from WebUI was discarded (call 7)`,
  ],
  [
    { ...HEAD, event: "answer.unknown", fields: { target: "WebUI", command: null, id: "__proto__" } },
    `${PREFIX} DEBUG : ${ANSWER} Unknown answer from WebUI was discarded (call __proto__)`,
  ],
  [
    { ...HEAD, event: "process.starting", fields: { process: "WebUI", generation: 2 } },
    `${PREFIX} INFO : ${PROCESS} WebUI is starting (generation 2)`,
  ],
  [
    { ...HEAD, event: "process.ready", fields: { process: "WebUI", childPid: 11, ms: 39 } },
    `${PREFIX} INFO : ${PROCESS} WebUI is ready after 0.039s (pid 11)`,
  ],
  [
    {
      ...HEAD,
      event: "process.output",
      fields: { process: "WebUI", childPid: 11, stream: "stdout", text: "hello (1): x", level: "info" },
    },
    `${PREFIX} INFO : ${PROCESS} WebUI wrote to stdout (pid 11): hello (1): x`,
  ],
  [
    {
      ...HEAD,
      event: "process.output",
      fields: { process: "WebUI", childPid: 11, stream: "stderr", text: "  oops", level: "error" },
    },
    `${PREFIX} ERROR : ${PROCESS} WebUI wrote to stderr (pid 11):   oops`,
  ],
  [
    { ...HEAD, event: "process.dropped", fields: { process: "WebUI", what: "lines of output", count: 12 } },
    `${PREFIX} WARNING : ${PROCESS} WebUI: dropped 12 lines of output`,
  ],
  [
    {
      ...HEAD,
      event: "process.exited",
      fields: {
        process: "WebUI",
        childPid: 11,
        exitCode: 3,
        signal: null,
        reason: "process exited with code 3",
        expected: false,
      },
    },
    `${PREFIX} WARNING : ${PROCESS} WebUI ended unexpectedly (pid 11, exit code 3, signal none): process exited with code 3`,
  ],
  [
    {
      ...HEAD,
      event: "process.exited",
      fields: {
        process: "WebUI",
        childPid: null,
        exitCode: null,
        signal: "SIGTERM",
        reason: "process was killed by SIGTERM",
        expected: true,
      },
    },
    `${PREFIX} INFO : ${PROCESS} WebUI ended as asked (pid none, exit code none, signal SIGTERM): process was killed by SIGTERM`,
  ],
  [
    { ...HEAD, event: "process.backoff", fields: { process: "WebUI", delayMs: 500, restarts: 3 } },
    `${PREFIX} WARNING : ${PROCESS} WebUI will be started again in 0.5s (restarts so far: 3)`,
  ],
  [
    {
      ...HEAD,
      event: "process.failed",
      fields: { process: "WebUI", reason: "exit 1", remedy: 'run "brokkr restart WebUI"' },
    },
    `${PREFIX} FATAL : ${PROCESS} WebUI will not be started again: exit 1; what to do: run "brokkr restart WebUI"`,
  ],
  [
    { ...HEAD, event: "program.notification", fields: { process: "WebUI", method: "window/log", params: [1] } },
    `${PREFIX} DEBUG : ${PROCESS} WebUI sent notification [window/log]`,
  ],
  [
    { ...HEAD, event: "process.orphan", fields: { process: "WebUI", childPid: 11, ms: 3_600_000 } },
    `${PREFIX} WARNING : ${PROCESS} A process of WebUI that an earlier broker left behind was killed (pid 11, age 3600.000s)`,
  ],
  [
    { ...HEAD, event: "process.stopping", fields: { process: "WebUI", childPid: 11 } },
    `${PREFIX} INFO : ${PROCESS} WebUI is stopping (pid 11)`,
  ],
  [
    {
      ...HEAD,
      event: "process.inspected",
      fields: { process: "WebUI", childPid: 11, address: "127.0.0.1:46367", ms: 600_000 },
    },
    `${PREFIX} WARNING : ${PROCESS} WebUI can be inspected at 127.0.0.1:46367 for 600.000s (pid 11): every user of this machine can run code in it`,
  ],
  [
    { ...HEAD, event: "process.finished", fields: { process: "migrate", childPid: 11, ms: 1_250 } },
    `${PREFIX} INFO : ${PROCESS} migrate finished after 1.250s (pid 11)`,
  ],
  [
    { ...HEAD, event: "process.stopped", fields: { process: "WebUI", ms: 20 } },
    `${PREFIX} INFO : ${PROCESS} WebUI stopped in 0.020s`,
  ],
  [
    {
      ...HEAD,
      event: "process.killed",
      fields: { process: "WebUI", childPid: 11, signal: "SIGTERM", reason: "process did not drain in 5s" },
    },
    `${PREFIX} WARNING : ${PROCESS} WebUI was sent SIGTERM (pid 11): process did not drain in 5s`,
  ],
  [
    { ...HEAD, event: "process.blocked", fields: { process: "WebUI", childPid: 11, ms: 15_001 } },
    `${PREFIX} WARNING : ${PROCESS} WebUI is blocked: no sign of life for 15.001s (pid 11)`,
  ],
  [
    { ...HEAD, event: "process.unblocked", fields: { process: "WebUI", childPid: 11, ms: 20_500 } },
    `${PREFIX} INFO : ${PROCESS} WebUI gives signs of life again after 20.500s (pid 11)`,
  ],
  [
    {
      ...HEAD,
      event: "process.memory",
      fields: { process: "WebUI", childPid: 11, bytes: 536_870_912, limitBytes: 524_288_000 },
    },
    `${PREFIX} WARNING : ${PROCESS} WebUI holds 512.0 MiB, more than 500.0 MiB (pid 11)`,
  ],
  [
    { ...HEAD, event: "process.replacing", fields: { process: "WebUI", childPid: 11, reason: "reload" } },
    `${PREFIX} INFO : ${PROCESS} WebUI is being replaced (pid 11): reload`,
  ],
  [
    { ...HEAD, event: "process.replaced", fields: { process: "WebUI", childPid: 12, oldPid: 11, ms: 512 } },
    `${PREFIX} INFO : ${PROCESS} WebUI was replaced in 0.512s (pid 12 after pid 11)`,
  ],
  [
    {
      ...HEAD,
      event: "process.kept",
      fields: { process: "WebUI", childPid: 11, reason: "process exited with code 3" },
    },
    `${PREFIX} ERROR : ${PROCESS} WebUI could not be replaced and goes on (pid 11): process exited with code 3`,
  ],
  [
    {
      ...HEAD,
      event: "process.folder-gone",
      fields: { process: "WebUI", folder: "/srv/app/releases/41", instead: "/srv/app" },
    },
    `${PREFIX} WARNING : ${PROCESS} WebUI starts in /srv/app: the working directory /srv/app/releases/41 is gone`,
  ],
  [
    { ...HEAD, event: "broker.reloaded", fields: { replaced: 1, kept: 0, added: 2, removed: 3, ms: 700 } },
    `${PREFIX} INFO : ${BROKER} The configuration is in force after 0.700s (replaced: 1, kept: 0, added: 2, removed: 3)`,
  ],
  [
    { ...HEAD, event: "broker.files-changed", fields: { process: "sla", files: "sla.ts and 2 more" } },
    `${PREFIX} INFO : ${BROKER} sla is reloaded, since its files have changed: sla.ts and 2 more`,
  ],
  [
    { ...HEAD, event: "broker.not-reloaded", fields: { reason: "brokkr.json:3:5: unknown key" } },
    `${PREFIX} ERROR : ${BROKER} The configuration stays as it was: brokkr.json:3:5: unknown key`,
  ],
  [
    { ...HEAD, event: "broker.unguarded", fields: { reason: "too many files are open", delayMs: 1500 } },
    `${PREFIX} WARNING : ${BROKER} The broker has no guard at the moment, it is started again in 1.5s: too many files are open`,
  ],
  [
    { ...HEAD, event: "broker.socket-restored", fields: { path: "/run/user/1000/brokkr/broker-master.sock" } },
    `${PREFIX} WARNING : ${BROKER} The control socket was removed and is there again: /run/user/1000/brokkr/broker-master.sock`,
  ],
  [
    {
      ...HEAD,
      event: "standby.lost",
      fields: { childPid: 11, reason: "process exited with code 1", delayMs: 2000 },
    },
    `${PREFIX} WARNING : ${PROCESS} A standby process is lost (pid 11), the next one starts in 2s: process exited with code 1`,
  ],
  [
    { ...HEAD, event: "standby.lost", fields: { childPid: null, reason: "no room for another process", delayMs: 500 } },
    `${PREFIX} WARNING : ${PROCESS} A standby process is lost (pid none), the next one starts in 0.5s: no room for another process`,
  ],
  [
    { ...HEAD, event: "broker.no-init", fields: { remedy: "run the container with an init (docker run --init)" } },
    `${PREFIX} WARNING : ${BROKER} The broker is process 1, and nobody collects processes that have lost their parent: they stay as zombies; what to do: run the container with an init (docker run --init)`,
  ],
  [
    {
      ...HEAD,
      event: "log.lost",
      fields: { file: "/var/log/b.log", lines: 12, reason: "ENOSPC: no space left, write" },
    },
    `${PREFIX} WARNING : ${BROKER} 12 log lines are lost, /var/log/b.log could not be written: ENOSPC: no space left, write`,
  ],
  [
    { ...HEAD, event: "module.debug", fields: { text: "loaded [12] months" } },
    `${PREFIX} DEBUG : ${LOG} loaded [12] months`,
  ],
  [{ ...HEAD, event: "module.info", fields: { text: "i" } }, `${PREFIX} INFO : ${LOG} i`],
  [{ ...HEAD, event: "module.warning", fields: { text: "w" } }, `${PREFIX} WARNING : ${LOG} w`],
  [{ ...HEAD, event: "module.error", fields: { text: "e" } }, `${PREFIX} ERROR : ${LOG} e`],
  [
    { ...HEAD, event: "broker.ready", fields: { modules: 3, failed: 1, ms: 300 } },
    `${PREFIX} INFO : ${BROKER} The broker is ready after 0.300s (modules: 3, failed: 1)`,
  ],
  [
    { ...HEAD, event: "broker.stopped", fields: { ms: 20 } },
    `${PREFIX} INFO : ${BROKER} The broker stopped in 0.020s`,
  ],
  [
    {
      ...HEAD,
      event: "cleanup.receipt",
      fields: {
        ms: 143,
        released: ["Livestatus", "WebUI"],
        errors: 1,
        modules: [],
        leftovers: [{ kind: "timer", count: 2 }, { kind: "file /var/log/a, b.log", count: 1 }],
        before: FIGURES,
        after: AFTER,
      },
    },
    `${PREFIX} DEBUG : [ broker-master ] [ sla ] [ CLEANUP RECEIPT ] [ PID:10 ] [ MainThread ] Released 2 modules [Livestatus, WebUI] in 0.143s, errors 1, PSS 150.0 MiB to 30.0 MiB, private memory 100.0 MiB to 12.0 MiB, heap unknown to unknown, open files 30 to 12, left over [2 × timer, 1 × file /var/log/a, b.log]`,
  ],
  [
    {
      ...HEAD,
      event: "call.silence",
      fields: { command: "get", target: "WebUI", attempt: 2, peer: "blocked", silentMs: 1002 },
    },
    `${PREFIX} DEBUG : ${HEARTBEAT} WebUI did not answer attempt 2 of [get] in time: it is blocked (gives no sign of life; last heard of 1.002s ago)`,
  ],
  [
    { ...HEAD, event: "cluster.joined", fields: { cluster: "prod", node: "web-1", server: "nats-1:4222", members: 2 } },
    `${PREFIX} INFO : ${CLUSTER} Joined cluster prod as node web-1 by nats-1:4222 (other members: 2)`,
  ],
  [
    { ...HEAD, event: "cluster.unreachable", fields: { cluster: "prod", reason: "connection refused" } },
    `${PREFIX} WARNING : ${CLUSTER} Cannot connect to cluster prod, it is tried again: connection refused`,
  ],
  [
    { ...HEAD, event: "cluster.disconnected", fields: { server: "nats-1:4222", reason: "the connection has ended" } },
    `${PREFIX} WARNING : ${CLUSTER} Lost the connection to nats-1:4222, calls of other brokers wait: the connection has ended`,
  ],
  [
    { ...HEAD, event: "cluster.reconnected", fields: { server: "nats-1:4222", ms: 614 } },
    `${PREFIX} INFO : ${CLUSTER} Connected again to nats-1:4222 after 0.614s`,
  ],
  [
    { ...HEAD, event: "cluster.taken", fields: { broker: "provider", node: "web-1", otherPid: 4711 } },
    `${PREFIX} ERROR : ${CLUSTER} Broker provider on node web-1 is a member already (pid 4711), this one is not`,
  ],
  [
    { ...HEAD, event: "cluster.denied", fields: { action: "publish", subject: "brokkr.prod.open.sla.0a.front" } },
    `${PREFIX} ERROR : ${CLUSTER} The server does not permit this broker to publish to brokkr.prod.open.sla.0a.front`,
  ],
  [
    { ...HEAD, event: "cluster.too-large", fields: { bytes: 2048, limit: 1024 } },
    `${PREFIX} ERROR : ${CLUSTER} Cannot send a message of 2048 bytes: the server takes 1024 (max_payload)`,
  ],
  [
    { ...HEAD, event: "cluster.member-joined", fields: { member: "provider@web-1", modules: "sla, WebUI" } },
    `${PREFIX} INFO : ${CLUSTER} provider@web-1 is a member, and exports sla, WebUI`,
  ],
  [
    { ...HEAD, event: "cluster.member-suspect", fields: { member: "provider@web-1", reason: "it says nothing" } },
    `${PREFIX} WARNING : ${CLUSTER} provider@web-1 does not answer: it says nothing`,
  ],
  [
    { ...HEAD, event: "cluster.member-back", fields: { member: "provider@web-1", ms: 3100 } },
    `${PREFIX} INFO : ${CLUSTER} provider@web-1 answers again after 3.100s`,
  ],
  [
    { ...HEAD, event: "cluster.member-leaving", fields: { member: "provider@web-1" } },
    `${PREFIX} INFO : ${CLUSTER} provider@web-1 leaves`,
  ],
  [
    { ...HEAD, event: "cluster.member-gone", fields: { member: "provider@web-1", calls: 3 } },
    `${PREFIX} WARNING : ${CLUSTER} provider@web-1 is gone (calls that it had: 3)`,
  ],
  [
    {
      ...HEAD,
      event: "cluster.incompatible",
      fields: { member: "provider@web-1", theirs: "1.2 (brokkr 2.0.0)", ours: "1.1 (brokkr 0.1.0)" },
    },
    `${PREFIX} WARNING : ${CLUSTER} provider@web-1 can not be called: it speaks protocol 1.2 (brokkr 2.0.0) and this is 1.1 (brokkr 0.1.0)`,
  ],
  [
    {
      ...HEAD,
      event: "cluster.refused",
      fields: { member: "provider@web-1", target: "sla", reason: 'it exports no module "sla"' },
    },
    `${PREFIX} WARNING : ${CLUSTER} Cannot call [sla] of provider@web-1: it exports no module "sla"`,
  ],
  [
    { ...HEAD, event: "cluster.dropped", fields: { what: "message of a session (it has no head)", count: 1 } },
    `${PREFIX} WARNING : ${CLUSTER} Dropped 1 of what came by the cluster: message of a session (it has no head)`,
  ],
];
