import type { Explanation } from "./explanation.ts";

const WHY = "It is the module's own text: its author wrote it with ctx.log.";

/** What modules log themselves. */
export const OWN_WORDS = {
  "module.debug": { what: "A module logged something, at DEBUG.", why: WHY, check: [], did: "Wrote it down." },
  "module.info": { what: "A module logged something, at INFO.", why: WHY, check: [], did: "Wrote it down." },
  "module.warning": {
    what: "A module logged a warning.",
    why: WHY,
    check: ["The text, with the author of the module."],
    did: "Wrote it down.",
  },
  "module.error": {
    what: "A module logged an error.",
    why: `${WHY} A hook "stop" that threw is logged so too.`,
    check: ["The text, with the author of the module."],
    did: "Wrote it down. The process goes on.",
  },
} satisfies Record<string, Explanation>;
