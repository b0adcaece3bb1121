import fc from "fast-check";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** By title: what made a property fail once. It is tried again before anything random. */
const KEPT = new Map<string, unknown>(
  Object.entries(JSON.parse(readFileSync(new URL("../fixtures/frame/failed_seeds.json", import.meta.url), "utf8"))),
);

export interface PropertyOptions {
  /** Random values that are tried. @default 100 */
  readonly runs?: number;
}

/**
 * A test that `holds` throws for no value of `values`. A failure shows the smallest value that was found, with a seed and a path: add
 * them to `failed_seeds.json` under the title.
 */
export function property<T>(
  title: string,
  values: fc.Arbitrary<T>,
  holds: (value: T) => void | Promise<void>,
  options: PropertyOptions = {},
): void {
  test(title, async () => {
    const checked = () => fc.asyncProperty(values, async (value) => await holds(value));
    for (const { seed, path } of keptFor(title)) await fc.assert(checked(), { seed, path, endOnFailure: true });
    await fc.assert(checked(), { numRuns: options.runs ?? 100 });
  });
}

function keptFor(title: string): { seed: number; path: string }[] {
  const kept = KEPT.get(title);
  if (kept === undefined) return [];
  const isSeed = (one: unknown): one is { seed: number; path: string } =>
    typeof one === "object" && one !== null && "seed" in one && typeof one.seed === "number" &&
    "path" in one && typeof one.path === "string";
  if (Array.isArray(kept) && kept.every(isSeed)) return kept;
  throw new TypeError(`failed_seeds.json has no list of seeds and paths under "${title}"`);
}
