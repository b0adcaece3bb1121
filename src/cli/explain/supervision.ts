import type { Explanation } from "./explanation.ts";

/** What brokkr does with processes on its own account. */
export const SUPERVISION = {
  "process.killed": {
    what: "brokkr sent a process a signal, because it did not do what it was to do in time or broke its channel.",
    why: "The end of the line says which deadline passed: the start, the drain, or the time after SIGTERM.",
    check: [
      'A drain that takes longer than the module\'s "drainMs": its running calls, and its "stop".',
      'A start that takes longer than "startTimeoutMs": what the program does before Broker.start.',
      "SIGKILL after SIGTERM: the process ignored SIGTERM or was busy.",
    ],
    did: "Sent the signal to the process and to everything it started. A process.exited follows.",
  },
  "process.blocked": {
    what: "A process gives no sign of life: it answers nothing, not even brokkr's own question.",
    why: "Its event loop is busy (a long computation, an endless loop), or it was stopped (SIGSTOP, a debugger).",
    check: [
      "What it was called with last: command.executing of that process, at DEBUG.",
      "Whether it uses the processor (top -p PID): a loop does, a stopped process does not.",
      'Work that takes long by nature belongs into a worker, or wants a longer "heartbeat.timeoutMs".',
    ],
    did: 'Said so, and asks on. With "heartbeat.onBlocked" set to "restart" it kills the process and starts it again.',
  },
  "process.unblocked": {
    what: "A process that was blocked answers again.",
    why: "What kept it busy is over, or it was continued (SIGCONT). The time counts from its last sign of life.",
    check: ["The process.blocked in front of it."],
    did: "Goes on as before. Calls that timed out meanwhile have failed.",
  },
  "process.memory": {
    what: 'A process holds more memory of its own than its "memory.warnBytes".',
    why: "It needs that much, or something in it grows: a cache without a limit, listeners, timers.",
    check: [
      'Whether it goes on growing: "brokkr status", before and after some calls.',
      'A leak that can\'t be mended at once: "memory.recycleBytes" gives the module a new process in time.',
    ],
    did: "Said so, once; and again when it has held less in between.",
  },
  "process.replacing": {
    what: "A process gets a successor: a new one starts beside it, and takes over when it is ready.",
    why: 'The end of the line says it: a reload, a changed configuration, or memory over "memory.recycleBytes".',
    check: [],
    did: "Starts the new process. Calls go to the old one until the new one is ready.",
  },
  "process.replaced": {
    what: "A new process has taken over from an old one.",
    why: "It follows process.replacing. The time counts from there.",
    check: [],
    did: "Calls that waited go to the new process. The old one finishes what runs in it and ends.",
  },
  "process.folder-gone": {
    what: "The folder that the broker was started in was removed, and new processes start in another one.",
    why:
      "New processes start where the broker was started. Mostly a deployment removed the release that it was started from.",
    check: [
      "Which release runs: restart the broker from the one that is to run.",
      "Start it in a folder that stays, or set cwd for each module.",
    ],
    did:
      "Starts every new process in the configuration's folder, else in the program's, else in /. Said once, whatever process is next.",
  },
  "process.kept": {
    what: "A process should have been replaced, and the new one did not become ready.",
    why: "The end of the line says how the new one ended: a mistake in the new code or in the new settings, mostly.",
    check: ['The process.output lines of the new process. When the cause is mended: "brokkr reload NAME".'],
    did: "Kept the old process, which serves calls as before.",
  },
  "broker.reloaded": {
    what: "The configuration was read again and is in force.",
    why: "The broker got SIGHUP.",
    check: ["Where kept is not 0: the process.kept lines before it."],
    did: "Replaced the modules whose settings have changed, started new ones and drained those that are gone.",
  },
  "broker.no-init": {
    what: "The broker is the first process of its container, and nothing above it collects ended processes.",
    why:
      "A process that has lost its parent becomes a child of process 1. No runtime of JavaScript collects children that it did not start.",
    check: ['How many there are: "brokkr status" counts zombies.'],
    did:
      "Goes on. Each zombie keeps a process number until the container ends; a limit of processes is reached in the end.",
  },
  "broker.unguarded": {
    what:
      "The guard, which ends the modules' processes where the broker is killed, has ended and could not be started.",
    why: "The end of the line says what the system refused: mostly no descriptor or no process is left.",
    check: ['How many files the broker has open: "ls /proc/PID/fd | wc -l", and "ulimit -n". Who killed the guard.'],
    did:
      "Goes on, and tries again after a pause. Until then only what handles events ends with a broker that is killed.",
  },
  "broker.not-reloaded": {
    what: "The configuration was to be read again, and it is wrong.",
    why: "The end of the line says what is wrong, and where.",
    check: ['"brokkr check FILE", then send SIGHUP again.'],
    did: "Nothing: every module runs as before.",
  },
} satisfies Record<string, Explanation>;
