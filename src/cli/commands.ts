/**
 * The commands of brokkr, a row each. Their arguments, the help, the man page and completion are all made from it;
 * command_line.ts has what runs for each.
 */

import {
  choice,
  COUNT,
  DURATION,
  EVENT,
  LEVEL,
  LOG_TIME,
  NAME,
  PAGE_ADDRESS,
  text,
  type Value,
  WORKERS,
} from "./values.ts";

/** An option, or an operand where it has no `flags`. */
export interface Param {
  /** The names of an option, the usual one first. */
  readonly flags?: readonly [string, ...string[]];
  /** What it takes; a switch takes nothing. */
  readonly value?: Value<unknown>;
  /** How many there may be. @default at most one */
  readonly count?: "one" | "any" | "some";
  /** Sentences for the help. */
  readonly about: string;
}

export interface Command {
  /** What it does, without a period. */
  readonly summary: string;
  /** Operands in their order, and options. */
  readonly params: Readonly<Record<string, Param>>;
  /** Lines to type, each with what comes of it. */
  readonly examples: readonly (readonly [line: string, what: string])[];
}

const RUNNABLE = /\.(jsonc?|[cm]?[jt]s)$/;
const MODULE_FILE = /\.[cm]?[jt]s$/;
const CONFIG_FILE = /\.jsonc?$/;
const ANY_FILE = /(?:)/;

const JSON_OPTION = { flags: ["--json"], about: "Print one JSON document." } as const satisfies Param;

const BROKER_OPTION = {
  flags: ["--broker"],
  value: text("NAME", "broker"),
  about: "Name of the broker; not needed if only one runs.",
} as const satisfies Param;

const NAME_OPTION = {
  flags: ["--name"],
  value: NAME,
  about: "Name of the broker; by default that of the configuration, or of the file of MCP servers.",
} as const satisfies Param;

export const COMMANDS = {
  run: {
    summary: "Run the broker of a configuration or a program",
    params: {
      file: {
        value: text("FILE", RUNNABLE),
        about: "A configuration (brokkr.json), a file of MCP servers (mcp.json) or a program (main.ts, main.js); " +
          "by default the nearest brokkr.json.",
      },
      name: NAME_OPTION,
      watch: {
        flags: ["--watch"],
        about:
          "Reload a module when its file or a file that it imports changes, and apply changes of the configuration.",
      },
      page: {
        flags: ["--page"],
        value: PAGE_ADDRESS,
        about: "Serve a page for browsers and metrics for Prometheus at this address, such as 127.0.0.1:9464.",
      },
      pageTokenFile: {
        flags: ["--page-token-file"],
        value: text("FILE", ANY_FILE),
        about:
          "File with the token that opens the page, instead of BROKKR_PAGE_TOKEN; required if other machines can reach it.",
      },
    },
    examples: [
      ["brokkr run", "the nearest brokkr.json, until Ctrl-C drains it"],
      ["brokkr run main.ts", "a program"],
      ["brokkr run mcp.json --name tools", "the servers of an MCP client"],
    ],
  },
  call: {
    summary: "Call a command of a module",
    params: {
      target: {
        value: text("TARGET", "target"),
        count: "one",
        about:
          "Name of a module of this broker, or of one imported from a cluster; sla@web-1 names the one on node web-1.",
      },
      command: { value: text("COMMAND", "command"), count: "one", about: "Name of its command." },
      params: {
        value: text("PARAM", "parameter"),
        count: "any",
        about: "A parameter: parsed as JSON if possible, else a string; @FILE reads JSON from a file, " +
          "and - from standard input. After -- it may begin with a dash.",
      },
      timeoutMs: {
        flags: ["--timeout"],
        value: DURATION,
        about: "Timeout of one attempt, such as 500ms or 2s; by default the module's or the broker's, else 1s, " +
          "and 60s for MCP and language servers.",
      },
      stream: { flags: ["--stream"], about: "Print what the command yields, one item per line." },
      json: {
        flags: ["--json"],
        about: "Print one JSON document, also if the call fails; for a stream, one per line. With or without it, " +
          "bytes are base64, a bigint is its digits, and NaN and Infinity are strings.",
      },
      broker: BROKER_OPTION,
    },
    examples: [
      ["brokkr call sla get_report '\"2021-10\"' --timeout 500ms", "one command with one parameter"],
      ["brokkr call history since 2021-10-11 --stream | head", "a command that yields"],
      ["brokkr call sla import @reports.json", "a large parameter"],
    ],
  },
  describe: {
    summary: "Show the commands of modules and their parameters",
    params: {
      module: { value: text("MODULE", "target"), about: "A module, also an imported one; by default every module." },
      json: JSON_OPTION,
      broker: BROKER_OPTION,
    },
    examples: [["brokkr describe sla", "those of one module"]],
  },
  status: {
    summary: "Show the processes of a broker",
    params: {
      json: { flags: ["--json"], about: "Print one JSON document; with --watch, one per line." },
      cluster: {
        flags: ["--cluster"],
        about: "Show the brokers of its cluster instead, with the modules that they export.",
      },
      watch: { flags: ["--watch"], about: "Print again every second until Ctrl-C." },
      broker: BROKER_OPTION,
    },
    examples: [
      ["brokkr status --watch", "every second"],
      ["brokkr status --json", "for programs"],
      ["brokkr status --cluster", "the other machines"],
    ],
  },
  top: {
    summary: "Watch the processes of a broker, restart and stop them",
    params: {
      json: { flags: ["--json"], about: "Print one JSON document per second instead, as status --watch --json does." },
      broker: BROKER_OPTION,
    },
    examples: [["brokkr top", "the keys are in its last line"]],
  },
  restart: {
    summary: "Restart a module, a worker or all modules",
    params: {
      module: {
        value: text("MODULE", "process"),
        about: "A module, or a worker such as sla-1; by default every module.",
      },
      broker: BROKER_OPTION,
    },
    examples: [["brokkr restart sla", "a new process; calls wait meanwhile"]],
  },
  stop: {
    summary: "Drain and end a module or the broker",
    params: {
      module: { value: text("MODULE", "module"), about: "A module; by default the broker with all its modules." },
      broker: BROKER_OPTION,
    },
    examples: [["brokkr stop sla", "until brokkr restart sla"]],
  },
  reload: {
    summary: "Replace the processes of modules without a gap, with their current code",
    params: {
      module: { value: text("MODULE", "module"), about: "A module; by default every module." },
      broker: BROKER_OPTION,
    },
    examples: [["brokkr reload", "each old process serves until the new one is ready"]],
  },
  scale: {
    summary: "Change how many workers a module has",
    params: {
      module: { value: text("MODULE", "module"), count: "one", about: "A module." },
      workers: {
        value: WORKERS,
        count: "one",
        about: "How many workers it has, until it is loaded again; 0 for none.",
      },
      broker: BROKER_OPTION,
    },
    examples: [["brokkr scale Livestatus 4", "surplus workers finish their calls before they end"]],
  },
  inspect: {
    summary: "Open the inspector of a module's process for a debugger",
    params: {
      module: {
        value: text("MODULE", "process"),
        count: "one",
        about: "A module, or a worker such as sla-1; not one with permissions.",
      },
      off: { flags: ["--off"], about: "Close it; it closes by itself after 10 minutes." },
      json: JSON_OPTION,
      broker: BROKER_OPTION,
    },
    examples: [
      ["brokkr inspect sla", "prints the address for Chrome's chrome://inspect, VS Code or another debugger"],
      ["brokkr inspect sla --off", "closes it"],
    ],
  },
  logs: {
    summary: "Summarize, filter or follow log files",
    params: {
      files: {
        value: text("FILE", ANY_FILE),
        count: "any",
        about: "Log files in any order, including rotated and gzip files; - for standard input. " +
          "Without a file: the last lines of the running broker.",
      },
      modules: {
        flags: ["--module"],
        value: text("NAME", "process"),
        count: "any",
        about: "Only events of this module or worker. You can repeat this option and the next two.",
      },
      commands: {
        flags: ["--command"],
        value: text("NAME"),
        count: "any",
        about: "Only events of this command.",
      },
      events: {
        flags: ["--event"],
        value: EVENT,
        count: "any",
        about: "Only these events, such as call.timeout.",
      },
      level: {
        flags: ["--level"],
        value: LEVEL,
        about: "Only events of this level or above: debug, info, warning, error or fatal.",
      },
      since: {
        flags: ["--since"],
        value: LOG_TIME,
        about: 'Only events since this time: 2021-10-11T06:10, "2021-10-11 06:10:52", or how long ago: 30m, 2h, 1d.',
      },
      until: {
        flags: ["--until"],
        value: LOG_TIME,
        about: "Only events until this time, including all of its minute or day.",
      },
      lines: { flags: ["--lines"], about: "Print the lines themselves instead of a summary." },
      unread: { flags: ["--unread"], about: "Print the lines that belong to no event." },
      follow: {
        flags: ["--follow", "-f"],
        about: "Print lines as they are written, until Ctrl-C, across rotation. The last ten lines come first, " +
          "or with --since all lines since then. Without a file: the lines of the running broker.",
      },
      count: {
        flags: ["--last", "-n"],
        value: COUNT,
        about: "Print only this many of the last events, as lines instead of a summary.",
      },
      html: {
        flags: ["--html"],
        value: text("OUT", /\.html?$/),
        about: "Also write a report with plots: a single file that needs no network.",
      },
      json: { flags: ["--json"], about: "Print one JSON document; for lines, one per line." },
      broker: BROKER_OPTION,
    },
    examples: [
      ["brokkr logs broker.log broker.log.1 broker.log.2.gz --since 12h", "a night, summarized"],
      ["brokkr logs broker.log --lines --level error --module sla", "the lines themselves"],
      ["brokkr logs -f --level warning", "what the running broker logs from now on"],
    ],
  },
  explain: {
    summary: "Say what a log line or an event means, and what to do",
    params: {
      words: {
        value: text("EVENT|LINE", "event"),
        count: "some",
        about: "An event such as call.timeout, a line of a log, or - for lines from standard input.",
      },
      json: JSON_OPTION,
    },
    examples: [
      ["brokkr explain call.timeout", "an event"],
      ["grep ERROR broker.log | tail -1 | brokkr explain -", "a line"],
    ],
  },
  serve: {
    summary: "Serve a module as a JSON-RPC program on standard input and output",
    params: {
      file: { value: text("FILE", MODULE_FILE), count: "one", about: "A module's file." },
      framing: {
        flags: ["--framing"],
        value: choice("FRAMING", ["newline", "content-length"]),
        about: "newline: one message per line; content-length: a header with the length before each; " +
          "by default that of the client's first message.",
      },
      timeoutMs: {
        flags: ["--timeout"],
        value: DURATION,
        about: "Timeout of one attempt, such as 500ms or 2s; by default 60s.",
      },
    },
    examples: [["brokkr serve sla.js", "until its input ends; then it drains"]],
  },
  check: {
    summary: "Check a configuration without starting it",
    params: {
      file: { value: text("FILE", CONFIG_FILE), about: "A configuration; by default the nearest brokkr.json." },
      name: NAME_OPTION,
      json: JSON_OPTION,
    },
    examples: [["brokkr check brokkr.json", "exit code 0 if it is valid, 2 if not"]],
  },
  cluster: {
    summary: "Check whether a broker can join its cluster",
    params: {
      action: {
        value: choice("ACTION", ["check"]),
        count: "one",
        about:
          "check: connects as this configuration says, and tries each permission that its broker needs, the other " +
          "brokers, and the clocks. It does not disturb a running broker.",
      },
      file: { value: text("FILE", CONFIG_FILE), about: "A configuration; by default the nearest brokkr.json." },
      name: NAME_OPTION,
      json: JSON_OPTION,
    },
    examples: [["brokkr cluster check", "exit code 0 if all is well, 1 if something fails, 2 for a configuration"]],
  },
  service: {
    summary: "Print a systemd unit that runs a configuration",
    params: {
      file: { value: text("FILE", CONFIG_FILE), about: "A configuration; by default the nearest brokkr.json." },
      user: { flags: ["--user"], about: "A user unit, for systemctl --user, instead of a system unit." },
    },
    examples: [["brokkr service > /etc/systemd/system/shop.service", "its first line says what to do next"]],
  },
  init: {
    summary: "Write a first module, its test and a configuration",
    params: {
      folder: { value: text("DIR", /(?!)/), about: "Folder for the files; by default the current one." },
      from: {
        flags: ["--from"],
        value: text("FILE", CONFIG_FILE),
        about: "Write a configuration of the MCP servers in this file, and no module.",
      },
      name: NAME_OPTION,
      js: { flags: ["--js", "--javascript"], about: "Write JavaScript." },
      ts: { flags: ["--ts", "--typescript"], about: "Write TypeScript." },
    },
    examples: [["brokkr init my-broker", "never overwrites a file"], [
      "brokkr init --from mcp.json",
      "a brokkr.json of the same servers",
    ]],
  },
  demo: {
    summary: "Run a broker with modules and workers, no configuration needed",
    params: { json: JSON_OPTION },
    examples: [["brokkr demo", "on this machine's real data"]],
  },
  completion: {
    summary: "Print the completion script for a shell",
    params: {
      shell: { value: choice("SHELL", ["bash", "zsh", "fish"]), count: "one", about: "bash, zsh or fish." },
      words: {
        value: text("WORD"),
        count: "any",
        about: "For the script itself: after --, the words typed so far. Prints the completions of the last one.",
      },
    },
    examples: [["brokkr completion bash > ~/.brokkr.bash", "then source it in ~/.bashrc"]],
  },
  man: {
    summary: "Print the man page",
    params: {},
    examples: [["brokkr man > /usr/local/share/man/man1/brokkr.1", "so that man brokkr finds it"]],
  },
  help: {
    summary: "Show the help, or that of one command",
    params: { command: { value: text("COMMAND", []), about: "A command of brokkr." } },
    examples: [["brokkr help call", "the same as brokkr call --help"]],
  },
  version: {
    summary: "Print the version",
    params: {},
    examples: [["brokkr version", "the same as brokkr --version and brokkr -V"]],
  },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof COMMANDS;

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

/** The same rows for what goes through all of them, in the order of the help. */
export const COMMAND_ROWS: ReadonlyMap<string, Command> = new Map(Object.entries(COMMANDS));

/** What a command's function gets: a boolean for a switch, a list for what may be repeated. */
export type ArgsOf<N extends CommandName> = Readonly<
  { -readonly [K in keyof (typeof COMMANDS)[N]["params"]]: Taken<(typeof COMMANDS)[N]["params"][K]> }
>;

type Taken<P> = P extends { readonly value: Value<infer T> }
  ? P extends { readonly count: "any" | "some" } ? readonly T[]
  : P extends { readonly count: "one" } ? T
  : T | undefined
  : boolean;
