/** Which part of src may import which, types included: the order of the folders, no cycle between parts, and the border to the runtimes. */

import { basename, dirname } from "node:path";

export interface Import {
  readonly to: string;
  readonly dynamic: boolean;
  /** Gone when types are erased. */
  readonly onlyTypes: boolean;
}

export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
}

type Graph = ReadonlyMap<string, Module>;

const SEAM = "src/runtime/runtime.ts";

/** Each part imports those above it. Files that stand loose in src/core are one part. */
const ORDER: readonly string[] = [
  SEAM,
  "src/runtime",
  "src/core",
  "src/core/settings",
  "src/core/module",
  "src/core/wire",
  "src/core/log",
  "src/core/call",
  "src/core/child",
  "src/core/program",
  "src/core/cluster",
  "src/core/broker",
  "src/core/control",
  "src/broker.ts",
  "mod.ts",
  "nats.ts",
  "testing.ts",
  "src/cli",
  "cli.ts",
];

/** What stands above a part in the order, and still is not for it. */
const APART: ReadonlyMap<string, readonly string[]> = new Map([
  ["src/core/cluster", ["src/core/child", "src/core/program"]],
]);

/** What every folder may use, and no other file may stand beside the folders of src/core. */
const LOOSE: readonly string[] = [
  "checks.ts",
  "duration.ts",
  "faults.ts",
  "user_code.ts",
  "version.ts",
];

/** Imports that cross until their files are rebuilt, `from -> to`. One that no longer crosses must go. */
const EXCEPTIONS: readonly string[] = [];

/** A line for each import against the order. */
export function againstOrder(graph: Graph, exceptions: readonly string[] = EXCEPTIONS): string[] {
  const found: string[] = [];
  const crossing = new Set<string>();
  for (const { path, imports } of graph.values()) {
    const own = placeOf(path);
    if (own === null) {
      found.push(`${path}: stands in no part that scripts/border/order.ts knows; enter its folder in ORDER`);
      continue;
    }
    if (own === "src/core" && !LOOSE.includes(basename(path))) {
      found.push(`${path}: stands loose in src/core; move it into the folder of its idea`);
    }
    for (const to of new Set(imports.map((step) => step.to))) {
      const other = graph.has(to) ? placeOf(to) : null;
      if (other === null || mayImport(own, other)) continue;
      crossing.add(`${path} -> ${to}`);
      if (exceptions.includes(`${path} -> ${to}`)) continue;
      found.push(
        `${path}: imports ${to}, and ${own} may not import ${other}; move what both need into the earlier one`,
      );
    }
  }
  for (const pair of exceptions) {
    if (!crossing.has(pair)) {
      found.push(`scripts/border/order.ts: "${pair}" crosses no more; take it out of EXCEPTIONS`);
    }
  }
  return found;
}

function mayImport(own: string, other: string): boolean {
  return ORDER.indexOf(other) <= ORDER.indexOf(own) && !APART.get(own)?.includes(other);
}

/** The part of ORDER that `path` belongs to. */
function placeOf(path: string): string | null {
  if (ORDER.includes(path)) return path;
  const folder = dirname(path);
  if (folder === "src/core") return folder;
  const places = ORDER.filter((place) => place !== "src/core" && `${folder}/`.startsWith(`${place}/`));
  return places.at(-1) ?? null;
}

/** A line for each cycle of parts: a part is a folder, or a file that stands beside folders. */
export function cycles(graph: Graph): string[] {
  const parts = partsOf(graph);
  return cyclesOf(graph, { partOf: (path) => parts.get(path), counts: () => true }).map(({ part, imports }) =>
    `${part}: is in a cycle of parts: ${imports}; move what one of them needs to where it imports none`
  );
}

/**
 * A line for each cycle of files, types included: none of them can be read without the others, and which one is loaded first depends
 * on who asks. What is imported later, where it is used, is left out.
 */
export function fileCycles(graph: Graph): string[] {
  const partOf = (path: string) => graph.has(path) ? path : undefined;
  return cyclesOf(graph, { partOf, counts: ({ dynamic }) => !dynamic }).map(({ part, imports }) =>
    `${part}: is imported by what it imports: ${imports}; move what both need into one of them`
  );
}

interface CycleOptions {
  /** Undefined for what is not looked at. */
  readonly partOf: (path: string) => string | undefined;
  readonly counts: (step: Import) => boolean;
}

function cyclesOf(graph: Graph, { partOf, counts }: CycleOptions): { part: string; imports: string }[] {
  const steps = new Map<string, Map<string, string>>();
  for (const { path, imports } of graph.values()) {
    const own = partOf(path) ?? path;
    const targets = steps.get(own) ?? new Map<string, string>();
    steps.set(own, targets);
    for (const step of imports) {
      const other = partOf(step.to);
      if (other === undefined || other === own || targets.has(other) || !counts(step)) continue;
      targets.set(other, `${path} imports ${step.to}`);
    }
  }
  const found: { part: string; imports: string }[] = [];
  const reported = new Set<string>();
  for (const part of [...steps.keys()].sort()) {
    if (reported.has(part)) continue;
    const cycle = wayBack(part, steps);
    if (cycle === null) continue;
    for (const { from } of cycle) reported.add(from);
    found.push({ part, imports: cycle.map(({ from, to }) => steps.get(from)?.get(to)).join(", ") });
  }
  return found;
}

interface Step {
  readonly from: string;
  readonly to: string;
}

/** The shortest way from `part` to itself. */
function wayBack(part: string, steps: ReadonlyMap<string, ReadonlyMap<string, string>>): Step[] | null {
  const ways = new Map<string, Step[]>([[part, []]]);
  for (const [from, way] of ways) {
    for (const to of steps.get(from)?.keys() ?? []) {
      if (to === part) return [...way, { from, to }];
      if (!ways.has(to)) ways.set(to, [...way, { from, to }]);
    }
  }
  return null;
}

function partsOf(graph: Graph): Map<string, string> {
  const folders = new Set([...graph.keys()].map((path) => dirname(path)));
  const hasFolders = new Set([...folders].map((folder) => dirname(folder)));
  hasFolders.add(".");
  return new Map([...graph.keys()].map((path) => [path, hasFolders.has(dirname(path)) ? path : dirname(path)]));
}

/** A line for each import of src/core that is of a runtime, or of a package. */
export function coreImports(graph: Graph): string[] {
  const found: string[] = [];
  for (const { path, imports } of graph.values()) {
    if (!path.startsWith("src/core/")) continue;
    for (const { to, onlyTypes } of imports) {
      if (to.startsWith("src/core/") || (to === SEAM && onlyTypes)) continue;
      const remedy = to === SEAM ? "import its types only: import type" : "pass it in through the Runtime";
      found.push(`${path}: imports ${to}, which src/core may not; ${remedy}`);
    }
  }
  return found;
}

/** What a folder of src/runtime may import beside itself; what is not named is a runtime that has Node's built-in modules. */
const RUNTIME_FOLDERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["posix", []],
  ["builtins", ["posix"]],
  ["deno", ["posix"]],
]);

/** A line for each import of one runtime's folder in another's: what two of them share stands in a folder of its own. */
export function runtimeFolders(graph: Graph): string[] {
  const found: string[] = [];
  for (const { path, imports } of graph.values()) {
    const own = runtimeOf(path);
    if (own === undefined) continue;
    const may = [own, ...RUNTIME_FOLDERS.get(own) ?? ["posix", "builtins"]];
    for (const { to } of imports) {
      const other = runtimeOf(to);
      if (other === undefined || may.includes(other)) continue;
      found.push(`${path}: imports ${to}, of another runtime; move what both need to src/runtime/posix or builtins`);
    }
  }
  return found;
}

function runtimeOf(path: string): string | undefined {
  return /^src\/runtime\/(\w+)\//.exec(path)?.[1];
}

/** Variables that change, and that two brokers of one process may share: each remembers what it has computed of its key. */
const MEMOS: ReadonlyMap<string, readonly string[]> = new Map([
  ["src/core/call/call.ts", ["listening"]],
  ["src/core/log/format.ts", ["templates"]],
  ["src/core/log/prefix.ts", ["cachedSecond", "cachedStamp", "calmHour"]],
  ["src/core/log/stack.ts", ["place"]],
]);

/** A `let`, or a collection that begins empty and is not read-only. */
const MUTABLE =
  /^(?:export )?(?:(?:let|var) (\w+)|const (\w+)\b(?!: *[Rr]ead[Oo]nly)[^\n=]*= *(?:new (?:Map|Set|WeakMap|WeakSet|Array)(?:<.*>)?\(\)|\[\]);)/gm;

/** A line for each variable of a module of src/core that may change: two brokers of one process would share it. */
export function mutableState(path: string, text: string): string[] {
  const memos = MEMOS.get(path) ?? [];
  return [...text.matchAll(MUTABLE)].map(([, variable, collection]) => variable ?? collection ?? "")
    .filter((name) => !memos.includes(name))
    .map((name) => `${path}: keeps state in its variable "${name}"; make it a field of what the caller creates`);
}
