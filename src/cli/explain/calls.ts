import type { Explanation } from "./explanation.ts";

/** Events of the side that calls. */
export const CALLS = {
  "call.retry": {
    what: "A command call got no answer within its timeout. It was sent, and it is sent a second time.",
    why:
      "The command is slow, the module has too many calls to do at once, or its process handles no events at the moment.",
    check: [
      "A call.timeout of the same command behind it: without one, the second attempt was answered.",
      "Latency of the command: where p99 is near the timeout, raise the timeout or make the command faster.",
      "What else the module did at that time: one long computation delays all of its calls.",
    ],
    did:
      "Sent the call again, with the same id. Where the first attempt still runs, the second joins it: nothing runs twice.",
  },
  "call.silence": {
    what: "Why an attempt of a call got no answer in time: its process is slow or blocked.",
    why:
      "When half of the time of an attempt is over, the process is asked for a sign of life. One that gives it works on the command (slow); one that gives none handles no events (blocked).",
    check: [
      "slow: what the command waits for, and whether its timeout is long enough. this.progress() in the command gives it more time.",
      "blocked: a loop without await, a synchronous call that takes long, or a process that was stopped (state T in ps).",
    ],
    did: "Nothing beyond the retry or the timeout that stands beside this line.",
  },
  "call.another-answer": {
    what: "While a call waited, an answer came that no waiting call had asked for.",
    why: "Nearly always it is the late answer to a call that was given up before, by timeout or by the caller.",
    check: [
      "call.timeout lines before it, of the same module: they are the cause.",
      "Where there are none: a peer that is not brokkr's and mixes up ids.",
    ],
    did: "Threw the answer away, so that no call got a wrong one, and sent the waiting call's frame again, once.",
  },
  "call.timeout": {
    what: "A command call was given up: no answer came in time, the retry included. The caller got CallTimeoutError.",
    why: "The command takes longer than the timeout, or the process of the module is blocked, stopped or starved.",
    check: [
      'The field "peer" of the record, or of the error: "slow" is a slow command, "blocked" is a process that handles no events.',
      "command.executing of the same command: did it begin at all?",
      "Several modules at the same time: the machine is busy, or short of memory.",
      "The call's timeout: timeoutMs of the call, of the module or of the broker.",
    ],
    did: "Told the caller. An answer that comes later is thrown away and never reaches another call.",
  },
  "call.error": {
    what:
      "A command call failed at once, not by timeout. The stack in front of it, where there is one, is the callee's.",
    why:
      "The message tells which way: what the command threw, an unknown command, a process that ended, a queue that is " +
      "full, a payload that can't be sent, or a caller that cancelled.",
    check: [
      "The stack, from its last line upwards; the callee's command.error has the same.",
      '"process exited with code ..." or "process was killed by ...": the process.exited before it.',
      '"queue is full (...)": calls come faster than the module does them; raise "concurrency", or call less.',
      '"payload of ... bytes is over the limit": send less, or in parts.',
    ],
    did: "Told the caller at once. A command that threw is not tried again: it did run.",
  },
  "call.answered": {
    what: "A command call was answered.",
    why:
      "Each answered call has this line, at DEBUG. The time is the caller's: from the call to the answer, retries included.",
    check: ['Where the time is long: "brokkr logs FILE" shows p50, p90, p99 and the longest of each command.'],
    did: "Gave the result to the caller.",
  },
} satisfies Record<string, Explanation>;
