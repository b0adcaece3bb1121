/** Who tries which block of which page. */

import type { Block } from "./pages.ts";

export function isLogLine(line: string): boolean {
  return /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] [A-Z]+ *: \[/.test(line);
}

/** Blocks that show lines for their own sake. Those of the log analysis are what its commands print, some of it cut. */
export function isOfLogLines({ page, language, text }: Block): boolean {
  return page !== "docs/log-analysis.md" && language === "text" &&
    text.trimEnd().split("\n").every((line) => isLogLine(line) || line === "…");
}

/** Blocks of code that are whole by themselves. One with a name is a file of a walk through its page. */
export function isOfTypeScript({ page, language, name }: Block): boolean {
  return language === "ts" && name === null && page !== "README.md";
}

/** Configurations that are whole by themselves, in parts that no test walks through. */
export function isOfConfiguration({ page, part, language, name, text }: Block): boolean {
  return /^jsonc?$/.test(language) && name === null && TRIED[page]?.[part] === undefined &&
    /^\{\n? *"(?:name|mcpServers)":/.test(text);
}

/** Bytes as `hexdump` prints them. */
export function isOfBytes({ language, text }: Block): boolean {
  return language === "text" &&
    text.trimEnd().split("\n").every((line) => /^[\da-f]{4} {2}(?:[\da-f]{2} )+/.test(line));
}

/** Which file of tests/examples tries the blocks of a part of a page. */
export const TRIED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "README.md": { "Try it": "readme", "A program": "readme", "The command line": "usage" },
  "docs/clean-after-fork.md": { "Try it": "clean_after_fork" },
  "docs/cluster.md": { Security: "../process/cluster_security", "Two machines in five minutes": "cluster" },
  "docs/configuration.md": { "Try it": "config_guides" },
  "docs/getting-started.md": {
    "The binary": "getting_started",
    "From Deno": "getting_started",
    "In a Node project": "getting_started",
  },
  "docs/log-analysis.md": {
    "Log analysis": "log_analysis",
    "What happened last night": "log_analysis",
    "Which command is slow": "log_analysis",
    "Which module crashes": "log_analysis",
    "The log of an older installation": "log_analysis",
    "Watching a log": "log_analysis",
    "For programs": "log_analysis",
  },
  "docs/log-lines.md": { "Log lines": "log_analysis" },
  "docs/monitoring.md": {
    "How do I see it in a browser?": "monitoring",
    "How does Prometheus get it?": "monitoring",
    "How does a load balancer or a container ask whether it is well?": "monitoring",
    "Who can open the page?": "monitoring",
  },
  "docs/operating.md": {
    "Is it well?": "usage",
    "What does this line mean?": "operating",
    "Restart, stop, change the configuration": "operating",
    "Try it": "operating",
    "Tab completion": "operating",
    "Under systemd": "operating",
    "The disk is full": "operating",
  },
  "docs/performance.md": { "Measure": "performance", "On a busy machine": "usage", "Start and memory": "usage" },
  "docs/programs.md": {
    "A Python script as a module": "programs",
    "An MCP server under supervision": "programs",
    "A language server from your program": "programs",
    "A module for any client": "programs",
  },
  "docs/reliability.md": { "The soak": "usage" },
  "docs/security.md": { "A module with fewer rights": "config_guides" },
  "docs/supervision.md": { "Order of starts": "supervision", "Memory grows": "supervision" },
  "docs/embedding.md": {
    "A module": "../world/frameworks",
    "Express": "../world/frameworks",
    "Fastify": "../world/frameworks",
    "Hono": "../world/frameworks",
    "Next.js": "../world/frameworks",
  },
  "docs/testing.md": {
    "The modules": "testing",
    "node --test": "testing",
    "deno test": "testing",
    "bun test": "testing",
    "vitest": "../world/test_runners",
    "jest": "../world/test_runners",
    "Stubs": "testing",
    "With processes": "testing",
  },
  "docs/wire-protocol.md": {
    "Channels": "wire_protocol",
    "Hello": "wire_protocol",
    "Calls and answers": "wire_protocol",
    "Attachments": "wire_protocol",
    "Cancel, ping, records, notices, close": "wire_protocol",
    "The control socket": "wire_protocol",
  },
  "examples/cluster/README.md": { "Two brokers and nats-server": "cluster" },
  "examples/config/README.md": { "A broker from a configuration": "config" },
  "examples/monitoring/README.md": { "A monitoring program": "monitoring" },
  "examples/node-server/README.md": { "A broker in an existing Node server": "node_server" },
  "examples/npm-module/README.md": { "A module with npm dependencies of its own": "npm_module" },
  "examples/python/README.md": { "A module in Python": "programs" },
};

export interface Shown {
  readonly page: string;
  readonly begins: string;
  /** Why there is nothing to run or to compare. */
  readonly because: string;
}

/** Blocks that nothing can try. */
export const SHOWN: readonly Shown[] = [
  {
    page: "docs/embedding.md",
    begins: 'Cannot start broker "web": it runs in Next.js',
    because: "the message of an error, which tests/runtime/program.test.ts has",
  },
  {
    page: "docs/testing.md",
    begins: 'Cannot start broker "shop": it runs in vitest',
    because: "the message of an error, which tests/world/test_runners.test.ts gets from each runner",
  },
  {
    page: "docs/wire-protocol.md",
    begins: "process                                            parent\n",
    because: "a drawing of what tests/process sees between real processes",
  },
  {
    page: "docs/wire-protocol.md",
    begins: "parent                                             process\n",
    because: "a drawing of what tests/process/shared_memory.test.ts sees between real processes",
  },
  {
    page: "docs/wire-protocol.md",
    begins: "calls    [settledBelow, ids,",
    because: "the names of the columns, whose bytes are tried in the example below",
  },
  {
    page: "docs/wire-protocol.md",
    begins: "u32 length of the text, big-endian | text |",
    because: "the order of a body, whose bytes are tried in the example below",
  },
];
