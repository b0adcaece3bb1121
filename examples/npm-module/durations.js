// A module with a dependency of its own. Only this module's process loads it; brokkr itself needs no import here.

import prettyMilliseconds from "pretty-ms";

export default {
  name: "durations",
  commands: {
    format: (ms) => prettyMilliseconds(ms),
    format_long: (ms) => prettyMilliseconds(ms, { verbose: true }),
  },
};
