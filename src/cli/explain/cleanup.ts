import type { Explanation } from "./explanation.ts";

/** Events of the cleanup after a process was created. */
export const CLEANUP = {
  "cleanup.start": {
    what: "A new process begins to release what belongs to the other modules.",
    why: "It loaded the same program as its father, so it holds the caches, connections and timers of every module.",
    check: [],
    did: "It runs the cleanup of each other module before it takes its first call. Calls that come earlier wait.",
  },
  "cleanup.done": {
    what: "The cleanup of a new process is over, with or without errors.",
    why: "Each cleanup.start has one, unless the process ends in between.",
    check: [
      'Where the time grows from start to start: the hooks "afterForkCleanup" of the modules, which run one after the other.',
    ],
    did: "The process goes on to its start and then takes calls.",
  },
  "cleanup.error": {
    what:
      "The cleanup of one module's data failed in a new process of another module. All lines of the block are one event.",
    why: "The module's hook threw, something in what it owns could not be disposed, or it took longer than 5 seconds.",
    check: [
      "The stack: its last frame is the place in the module's own code.",
      "The module that stands behind the pid: its cleanup is to be mended, not the process that ran it.",
      "Memory of the process: what was not released stays there until it ends.",
    ],
    did: "The cleanup of the other modules went on, and the process serves its commands. Nothing is tried again.",
  },
  "cleanup.receipt": {
    what: "What a cleanup released, with memory and open files of the process before and after it.",
    why: "Written once, after each cleanup, at DEBUG.",
    check: [
      "Private memory that stays as high as before: something still refers to the data, such as a timer or a listener.",
      "Open files that stay: connections that no hook closes.",
    ],
    did: 'Counted it; "brokkr status --json" shows the same figures.',
  },
} satisfies Record<string, Explanation>;
