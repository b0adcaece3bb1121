/** The steps of processes while a command waits for them. */

import type { ControlClient } from "../core/control/client.ts";
import { EVENT_IDS } from "../core/log/events.ts";
import { operatorText } from "./colors.ts";
import { ProgressLine } from "./progress_line.ts";

const STEPS = EVENT_IDS.filter((event) => event.startsWith("process.") && event !== "process.output");

/** Settles as `work` does, and shows each step of any process until then. */
export async function showSteps<T>(client: ControlClient, work: Promise<T>): Promise<T> {
  using line = new ProgressLine();
  const over = new AbortController();
  const show = async () => {
    for await (const { lines } of client.records({ events: STEPS }, over.signal)) {
      line.show(operatorText(lines[0] ?? ""));
    }
  };
  // The outcome counts even where the steps can't be shown.
  if (line.isShown) show().catch(() => {});
  try {
    return await work;
  } finally {
    over.abort();
  }
}
