import type { Explanation } from "./explanation.ts";

/** Events of answers that no call waits for. */
export const ANSWERS = {
  "answer.late": {
    what: "An answer came to a call that had been given up, while no other call waited.",
    why: "The command did end, but after the last timeout of its call, or after the caller had cancelled it.",
    check: ["The call.timeout before it. The time between the two is what the timeout is too short."],
    did: "Threw it away and counted it.",
  },
  "answer.duplicate": {
    what: "A second answer came to a call that was answered already.",
    why: "Both attempts of a call were answered: the first answer was on its way when the second attempt left.",
    check: ["Nothing, unless it is frequent: then the timeout is close to what the command takes."],
    did: "Threw it away and counted it. The caller has the first answer.",
  },
  "answer.unknown": {
    what: "An answer came to a call that was never made, while no call waited.",
    why: "Between processes of brokkr this does not happen. A peer in another language may mix up ids.",
    check: ["A peer that is not brokkr's: whether it sends back the id that it got, as it got it."],
    did: "Threw it away and counted it.",
  },
} satisfies Record<string, Explanation>;
