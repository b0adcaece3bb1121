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

/** Bytes as `hexdump` prints them. */
export function isOfBytes({ language, text }: Block): boolean {
  return language === "text" &&
    text.trimEnd().split("\n").every((line) => /^[\da-f]{4} {2}(?:[\da-f]{2} )+/.test(line));
}
