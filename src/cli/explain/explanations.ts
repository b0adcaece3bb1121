import type { EventId } from "../../core/log/record.ts";
import { ANSWERS } from "./answers.ts";
import { BROKERS } from "./brokers.ts";
import { CALLS } from "./calls.ts";
import { CLEANUP } from "./cleanup.ts";
import { COMMANDS } from "./commands.ts";
import type { Explanation } from "./explanation.ts";
import { OWN_WORDS } from "./own_words.ts";
import { PROCESSES } from "./processes.ts";
import { SUPERVISION } from "./supervision.ts";

/** Of every event: one that is missing here does not compile. */
export const EXPLANATIONS: Readonly<Record<EventId, Explanation>> = {
  ...CLEANUP,
  ...CALLS,
  ...COMMANDS,
  ...ANSWERS,
  ...PROCESSES,
  ...SUPERVISION,
  ...OWN_WORDS,
  ...BROKERS,
};
