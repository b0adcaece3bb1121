import type { Explanation } from "./explanation.ts";

/** Events of the life of a process. */
export const PROCESSES = {
  "process.starting": {
    what: "A process of a module or worker is about to be created.",
    why: "The broker starts, or the process ended and is started again. Generation 1 is the first.",
    check: ["A generation above 1: why the one before ended, see its process.exited."],
    did: "Creates the process and waits for its first words.",
  },
  "process.ready": {
    what: "A process is cleaned and started, and takes calls.",
    why: "Each process that starts well has this line. The time counts from its creation.",
    check: ['Where it is slow: what its files do when they are imported, and its "start".'],
    did: "Sent it the calls that waited for it.",
  },
  "process.output": {
    what: "A process printed a line to its standard output or standard error.",
    why:
      "What modules print is taken line by line and written under their name, so that it can't pass for another's line.",
    check: ["Before a process.exited: the last lines often tell why it ended."],
    did: "Wrote it down. It has no effect on calls.",
  },
  "process.dropped": {
    what: "Something that a process sent was left out.",
    why: "The rest of the line says what: a frame that could not be read or sent, or lines that were too many.",
    check: [
      "Lines of stdout, stderr or ctx.log: a module that prints or logs too much, too fast.",
      'A frame: a peer that is not brokkr\'s, see "Broken input" in docs/wire-protocol.md. Between two processes of brokkr ' +
      "it is a defect: report it, with the line.",
    ],
    did: "Left that one out and counted it. Three frames in a row that can't be read close the channel.",
  },
  "process.exited": {
    what: 'A process ended: "as asked" after process.stopping, else "unexpectedly".',
    why: "The end of the line has the reason: its exit code, or the signal that killed it.",
    check: [
      "Its process.output lines before it: an uncaught error prints its stack.",
      "SIGKILL that nobody sent: the system was out of memory, see the kernel's log (dmesg).",
      "Exit code 0, unexpectedly: something in the module calls exit, or nothing keeps it alive.",
      "Calls that failed with it: call.error of the same second.",
    ],
    did:
      "Rejected its running calls at once, killed what it left behind, and decided by its restart policy whether to start it again.",
  },
  "process.backoff": {
    what: "A process that ended is started again after a pause.",
    why: 'Its restart policy is "always", or "on-failure" and it failed.',
    check: [
      "The process.exited in front of it.",
      "The number of restarts: a rising one is a loop that will end in process.failed.",
    ],
    did: "Waits, then creates it anew. It is cleaned and started like the first time.",
  },
  "process.failed": {
    what: "A process will not be started again. Its module is out of service until someone acts.",
    why: 'It failed too often in too short a time, or its restart policy is "never".',
    check: [
      "The reason in the line, and the process.exited and process.output lines before it.",
      'When the cause is mended: "brokkr restart NAME".',
    ],
    did:
      "Gave up on this process, so that it does not restart for ever. Calls to it are rejected at once. The others go on.",
  },
  "program.notification": {
    what: "A program of another language sent a notification: it told something that nobody had asked for.",
    why: "Its protocol has such messages, for progress, logs or changes of what it offers.",
    check: ['The event\'s params, with broker.on("program.notification", …): the line has the method only.'],
    did: "Gave it to whoever listens to the event, and to the handler in defineProgram where there is one.",
  },
  "process.orphan": {
    what: "A process that an earlier broker of this name had left behind was ended.",
    why:
      "That broker was killed together with its guard, the small shell that ends its processes for it, so nobody was left to do it.",
    check: [
      "What killed the earlier broker: the system's log, for want of memory, or a signal to all of its processes.",
      "The module in the line, where it holds files, ports or locks that a second copy of it must not share.",
    ],
    did: "Found the process by the mark of that broker in its environment and by its start time, and sent it SIGKILL.",
  },
  "process.stopping": {
    what: "A process was asked to finish its work and end.",
    why: "The broker stops, or someone asked for a stop, a restart or a reload.",
    check: [],
    did: "Sends it no new calls, lets the running ones end, and then ends it.",
  },
  "process.stopped": {
    what: "A process has ended as it was told.",
    why: "It follows process.stopping. The time counts from there.",
    check: ['Where it takes long: the module\'s running calls, and its "stop".'],
    did: "Nothing is left of it.",
  },
} satisfies Record<string, Explanation>;
