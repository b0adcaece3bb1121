import type { Explanation } from "./explanation.ts";

/** Events of the whole broker. */
export const BROKERS = {
  "broker.ready": {
    what: "Every module is ready, or has failed its first start.",
    why: "Once, after the start of the broker.",
    check: ["Where failed is not 0: the process.failed and process.exited lines before it."],
    did: "Serves calls from now on.",
  },
  "broker.stopped": {
    what: "The broker has stopped: every process has ended.",
    why: 'It was asked to stop, by Ctrl-C, a signal, "brokkr stop" or its program.',
    check: ["A log that ends without this line: the broker was killed, or its machine went down."],
    did: "Nothing is left of it.",
  },
  "log.lost": {
    what: "The log file or standard error can be written again, and some lines never came into it.",
    why:
      "The end of the line has the reason: mostly a full disk, a folder that was removed or made read-only, or a reader of standard " +
      "error that stood still.",
    check: [
      "Of a file: room on the file system (df), and who may write in the folder. Standard error told when it began.",
      "Of standard error: what reads it, such as less, a terminal that was stopped with Ctrl-S, or a container's log driver.",
    ],
    did: "Went on without them, and tried again with each line.",
  },
} satisfies Record<string, Explanation>;
