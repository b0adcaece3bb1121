import type { Explanation } from "./explanation.ts";

/** Events of the side that is called. */
export const COMMANDS = {
  "command.unknown": {
    what: "A process was called with a command that it does not have.",
    why: "The caller misspells it, or caller and module are of different versions.",
    check: [
      "The name at the caller: its error names the nearest command that there is.",
      "After an update: whether all processes were started again since.",
    ],
    did: "Told the caller at once, by UnknownCommandError. Nothing ran.",
  },
  "command.error": {
    what: "A command threw an error in its own process. The lines behind it are its stack.",
    why: "The code of the command failed, or its result could not be sent to the caller.",
    check: [
      "The stack: outermost frame first, the last line is the error and the frame above it the place.",
      'Whether it is always the same stack: "brokkr logs FILE" groups them.',
      "command.executing before it, at DEBUG: it has the parameters.",
    ],
    did: "Sent error and stack to the caller, which logs a call.error. The process goes on and takes further calls.",
  },
  "command.executing": {
    what: "A command begins to run.",
    why: "Each command that begins has this line, at DEBUG. Parameters are cut at 1,000 characters.",
    check: ["Where a call timed out: whether its command has this line. Without it the call never got that far."],
    did: "Ran the command.",
  },
} satisfies Record<string, Explanation>;
