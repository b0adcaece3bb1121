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
} satisfies Record<string, Explanation>;
