/** What imports what, as Deno resolves it. Paths are relative to the root; anything else stays as it is written. */

import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DEV_CONFIG, ROOT, run } from "../command.ts";
import type { Import, Module } from "./order.ts";

/** The modules that `paths` reach, `paths` among them. */
export async function importGraph(paths: readonly string[]): Promise<Map<string, Module>> {
  const modules = new Map<string, Module>();
  for (const module of await denoInfo(paths)) {
    if (!module.specifier.startsWith("file:")) continue;
    const path = name(module.specifier);
    if (path.startsWith("../")) continue;
    modules.set(path, { path, imports: (module.dependencies ?? []).flatMap(importsOf) });
  }
  for (const path of paths) {
    if (!modules.has(path)) throw new Error(`Cannot read the imports of ${path}: deno info does not list it`);
  }
  return modules;
}

/** What `roots` load, `roots` among them: always, or with `dynamic` also what they may load later. */
export function reachable(
  graph: ReadonlyMap<string, Module>,
  roots: readonly string[],
  { dynamic }: { readonly dynamic: boolean },
): Set<string> {
  const found = new Set<string>();
  const visit = (path: string) => {
    const module = graph.get(path);
    if (module === undefined || found.has(path)) return;
    found.add(path);
    for (const step of module.imports) {
      if (!step.onlyTypes && (dynamic || !step.dynamic)) visit(step.to);
    }
  };
  roots.forEach(visit);
  return found;
}

interface InfoModule {
  readonly specifier: string;
  readonly dependencies?: readonly InfoDependency[];
}

interface InfoDependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
  readonly isDynamic?: boolean;
}

/** `deno info` takes one file, so it is given one that imports all of `paths`. */
async function denoInfo(paths: readonly string[]): Promise<readonly InfoModule[]> {
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(all, paths.map((path) => `import "${pathToFileURL(join(ROOT, path))}";\n`).join(""));
    const command = [Deno.execPath(), "info", "--json", ...DEV_CONFIG, all];
    const { code, stdout, output } = await run(command);
    if (code !== 0) throw new Error(`Cannot read the imports: deno info ended with exit code ${code}\n${output}`);
    const { modules }: { modules: readonly InfoModule[] } = JSON.parse(stdout);
    return modules;
  } finally {
    await Deno.remove(all);
  }
}

/** A type and a value imported from one file are two entries: only `code` is left at run time. */
function importsOf({ specifier, code, type, isDynamic }: InfoDependency): Import[] {
  const target = code?.specifier ?? type?.specifier ?? specifier;
  return [{ to: name(target), dynamic: isDynamic ?? false, onlyTypes: code === undefined && type !== undefined }];
}

function name(specifier: string): string {
  return specifier.startsWith("file:") ? relative(ROOT, fileURLToPath(specifier)) : specifier;
}
