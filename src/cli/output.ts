/**
 * Standard output: results, all of them, to readers of any speed. A reader that went away is no failure.
 *
 * @module
 */

import process from "node:process";

let readerGone = false;

/** Writes `text` and settles when it is out. False when nobody reads any more. */
export async function print(text: string): Promise<boolean> {
  if (readerGone) return false;
  watch();
  await new Promise<void>((resolve) => {
    process.stdout.write(text, (error) => {
      if (error) readerGone = true;
      resolve();
    });
  });
  return !readerGone;
}

let watched = false;

/** Without a listener the end of the reader would end this process with a stack. */
function watch(): void {
  if (watched) return;
  watched = true;
  process.stdout.on("error", () => readerGone = true);
}

/** Whether a person looks at `stream` and wants colors. */
export function hasColors(stream: "stdout" | "stderr"): boolean {
  return process[stream].isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}
