/**
 * Guards what no compiler option guards: what the core may know, what mod.ts may import, and that generated files are up to date.
 * Each line that it prints is one violation.
 */

import { join, relative } from "node:path";
import { exists, files } from "./build_npm.ts";
import { importGraph, reachable } from "./border/import_graph.ts";
import {
  againstOrder,
  coreImports,
  cycles,
  fileCycles,
  type Module,
  mutableState,
  runtimeFolders,
} from "./border/order.ts";
import { ROOT } from "./command.ts";
import { staleAssets } from "./embed_assets.ts";
import { tsc } from "./tsc.ts";
import { VERSION } from "../src/core/version.ts";
import config from "../deno.json" with { type: "json" };

/** What users import. */
const LIBRARY = ["mod.ts", "testing.ts"];
/** What a new Deno process loads at its start. */
const PROCESS = ["mod.ts", "src/core/child/serve.ts", "src/runtime/deno/index.ts"];
const CLOCK = "src/runtime/posix/clock.ts";

/** All violations, a line each. */
export async function checkBorder(): Promise<string[]> {
  const sources = await sourceFiles();
  const graph = await importGraph(sources);
  return [
    ...await compiles("src/core"),
    ...await compiles("src/cli/page/assets"),
    ...await staleAssets(),
    ...coreImports(graph),
    ...againstOrder(graph),
    ...cycles(graph),
    ...fileCycles(graph),
    ...await coreState(graph),
    ...libraryPackages(graph),
    ...builtins(graph),
    ...denoStart(graph),
    ...await oneByte(graph),
    ...runtimeFolders(graph),
    ...await timers(graph),
    ...await assets(graph),
    ...versions(),
    ...await lockedHosts(),
  ];
}

async function sourceFiles(): Promise<string[]> {
  const found: string[] = [];
  for (const name of [...LIBRARY, "nats.ts", "cli.ts"]) {
    if (await exists(join(ROOT, name))) found.push(name);
  }
  for await (const file of files(join(ROOT, "src"), ".ts")) {
    if (!file.endsWith(".d.ts")) found.push(relative(ROOT, file));
  }
  return found.sort();
}

/** By itself, with `types: []`: src/core knows no runtime, and what runs in a browser knows the browser only. */
async function compiles(folder: string): Promise<string[]> {
  const messages = await tsc(folder);
  return messages === "" ? [] : messages.split("\n");
}

async function coreState(graph: ReadonlyMap<string, Module>): Promise<string[]> {
  const found: string[] = [];
  for (const path of graph.keys()) {
    if (path.startsWith("src/core/")) found.push(...mutableState(path, await Deno.readTextFile(join(ROOT, path))));
  }
  return found;
}

/** Someone who imports mod.ts by its path or URL has no import map of ours. */
function libraryPackages(graph: ReadonlyMap<string, Module>): string[] {
  const found: string[] = [];
  for (const path of reachable(graph, LIBRARY, { dynamic: true })) {
    for (const { to } of graph.get(path)?.imports ?? []) {
      if (graph.has(to) || to.startsWith("node:")) continue;
      found.push(`${path}: imports ${to}, and the library reaches it; move what needs the package to src/cli`);
    }
  }
  return found;
}

function builtins(graph: ReadonlyMap<string, Module>): string[] {
  const found: string[] = [];
  for (const path of reachable(graph, LIBRARY, { dynamic: true })) {
    if (path.startsWith("src/runtime/")) continue;
    for (const { to } of graph.get(path)?.imports ?? []) {
      if (to.startsWith("node:")) found.push(`${path}: imports ${to}; only src/runtime may, put it behind the Runtime`);
    }
  }
  return found;
}

/** Each `node:` module that a new Deno process loads at its start costs milliseconds. */
function denoStart(graph: ReadonlyMap<string, Module>): string[] {
  const roots = [...graph.keys()].filter((path) => path === "mod.ts" || path.startsWith("src/runtime/deno/"));
  const found: string[] = [];
  for (const path of reachable(graph, roots, { dynamic: false })) {
    for (const { to, dynamic, onlyTypes } of graph.get(path)?.imports ?? []) {
      if (dynamic || onlyTypes || !to.startsWith("node:")) continue;
      found.push(`${path}: imports ${to}, which a new Deno process loads at its start; import it where it is used`);
    }
  }
  return found;
}

/** The engine keeps a text that has a character above U+00FF in two bytes each: 0.7 MiB of a Deno process. */
async function oneByte(graph: ReadonlyMap<string, Module>): Promise<string[]> {
  const found: string[] = [];
  for (const path of reachable(graph, PROCESS, { dynamic: false })) {
    if (!graph.has(path)) continue;
    const [other] = (await Deno.readTextFile(join(ROOT, path))).match(/[^\0-\x7f]/u) ?? [];
    if (other === undefined) continue;
    const code = other.codePointAt(0)?.toString(16).padStart(4, "0");
    found.push(`${path}: holds "${other}", and each process loads it; write \\u${code}, or ASCII in a comment`);
  }
  return found;
}

/** A test of the program may put fakes in the place of the runtime's own timers. */
async function timers(graph: ReadonlyMap<string, Module>): Promise<string[]> {
  const found: string[] = [];
  for (const path of graph.keys()) {
    if (!path.startsWith("src/runtime/") || path === CLOCK) continue;
    const text = await Deno.readTextFile(join(ROOT, path));
    const [name] = text.match(/\b(setTimeout|setInterval|setImmediate|queueMicrotask|Date\.now|performance\.now)\(/) ??
      [];
    if (name !== undefined) found.push(`${path}: calls ${name}), which a test may have replaced; use ${CLOCK}`);
  }
  return found;
}

/** Bundlers take it for a file to put into the bundle, and refuse to build where there is none, whatever the URL is relative to. */
async function assets(graph: ReadonlyMap<string, Module>): Promise<string[]> {
  const found: string[] = [];
  for (const path of reachable(graph, LIBRARY, { dynamic: true })) {
    if (!graph.has(path)) continue;
    const [, url] =
      (await Deno.readTextFile(join(ROOT, path))).match(/^(?! *[*\/]).*(\bnew URL\(\s*["'`]\.[^)]*\))/m) ??
        [];
    if (url !== undefined) {
      found.push(`${path}: "${url}" is a file of its own for a bundler; make the path from a text`);
    }
  }
  return found;
}

function versions(): string[] {
  if (VERSION === config.version) return [];
  return [`src/core/version.ts: is "${VERSION}" and deno.json "${config.version}"; make them equal`];
}

/** A registry of someone's own leaves its address in the lock file, and then nobody else can install from it. */
async function lockedHosts(): Promise<string[]> {
  const hosts = (await Deno.readTextFile(join(ROOT, "deno.lock"))).match(/https?:\/\/[^/"\s]+/g) ?? [];
  return [...new Set(hosts)].map((host) => `deno.lock: names ${host}; write it again with the default npm registry`);
}

if (import.meta.main) {
  const violations = await checkBorder();
  for (const line of violations) console.error(line);
  console.log(violations.length === 0 ? "The border holds" : `The border is crossed ${violations.length} times`);
  if (violations.length > 0) Deno.exit(1);
}
