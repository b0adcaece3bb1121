/** What a report must show: nothing wrong, and figures that are flat. */

import type { SoakReport } from "../../tests/fixtures/soak/report.ts";

/** Descriptors that a runtime may open for itself meanwhile. */
const MORE_DESCRIPTORS = 2;
/** What live objects may grow by: traces of types, sources of code, what is remembered of the last calls. */
const MORE_HEAP_BYTES = 8 * 1024 * 1024;
/** What the engine's heap may swing by, however long the soak: a leak grows beyond it. */
const MORE_BYTES = 64 * 1024 * 1024;

export function faultsOf(report: SoakReport): string[] {
  const { descriptors, privateBytes, heapBytes } = report;
  return [
    ...report.failures,
    ...grown("descriptors", descriptors, MORE_DESCRIPTORS),
    ...grown("bytes of live objects", heapBytes, MORE_HEAP_BYTES),
    ...grown("bytes of private memory", privateBytes, MORE_BYTES),
  ];
}

function grown(what: string, { before, after }: SoakReport["descriptors"], most: number): string[] {
  if (before === null || after === null || after - before <= most) return [];
  return [`${what} grew from ${before} to ${after}, by more than ${most}`];
}
