/** Why tests were skipped. Node tells it in its own file; of Deno and Bun entry.mjs writes it down. */

import type { TestOutcome } from "./junit.ts";

/** @param written lines of JSON, each a name and a reason. */
export function withReasons(tests: readonly TestOutcome[], written: string): TestOutcome[] {
  const lines = written.split("\n").filter((line) => line !== "");
  const reasons = new Map<string, string>(lines.map((line) => JSON.parse(line)));
  return tests.map((test) =>
    test.outcome !== "skipped" || test.reason !== "" ? test : {
      ...test,
      reason: reasons.get(test.name) ?? "",
    }
  );
}

/** A line for each test that was skipped and each reason, with the runtimes that it was skipped in. */
export function skipLines(
  files: readonly {
    readonly runtime: string;
    readonly path: string;
    readonly result: { readonly skipped: readonly TestOutcome[] };
  }[],
): string[] {
  const runtimes = new Map<string, string[]>();
  for (const { runtime, path, result } of files) {
    for (const { name, reason } of result.skipped) {
      const skip = `${path}: ${name}: ${reason || "no reason given"}`;
      runtimes.set(skip, [...(runtimes.get(skip) ?? []), runtime]);
    }
  }
  return [...runtimes].map(([skip, names]) => `skipped: ${names.join(", ")} ${skip}`);
}
