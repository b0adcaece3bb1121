/**
 * What happens to the processes while somebody waits for it, on the terminal's last line.
 *
 * @module
 */

import type { ControlClient } from "../core/control/client.ts";
import { EVENT_IDS } from "../core/log/lines.ts";
import { operatorText } from "./operator_text.ts";
import { ProgressLine } from "./progress_line.ts";

const STEPS = EVENT_IDS.filter((event) => event.startsWith("process.") && event !== "process.output");

/** Settles as `work` does; shows each step of any process until then. */
export async function showSteps<T>(client: ControlClient, work: Promise<T>): Promise<T> {
  using line = new ProgressLine();
  const over = new AbortController();
  const show = async () => {
    for await (const { lines } of client.records({ events: STEPS }, over.signal)) {
      line.show(operatorText(lines[0] ?? ""));
    }
  };
  // Where the steps can't be seen, the outcome still can.
  if (line.isShown) show().catch(() => {});
  try {
    return await work;
  } finally {
    over.abort();
  }
}
