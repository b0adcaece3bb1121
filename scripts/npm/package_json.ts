/** The package.json of the npm package: what is known from deno.json and from the files that were emitted. */

import { isBuiltin } from "node:module";
import { files } from "../build_npm.ts";
import config from "../../deno.json" with { type: "json" };

/** Address of the repository, once it has one: such as https://github.com/someone/brokkr. */
export const REPOSITORY: string | null = null;

export interface PackageJson {
  readonly text: string;
  /** What is wrong with the imports; empty when nothing is. */
  readonly messages: string;
}

export async function packageJson(folder: string): Promise<PackageJson> {
  const { dependencies, messages } = await findDependencies(folder);
  const content = {
    name: "brokkr",
    version: config.version,
    description: "A broker for processes: clean after fork, typed command calls, log lines an operator can act on",
    keywords: ["broker", "process", "fork", "ipc", "rpc", "supervisor", "worker", "deno", "bun"],
    license: config.license,
    ...(REPOSITORY === null ? {} : { repository: { type: "git", url: `git+${REPOSITORY}.git` } }),
    type: "module",
    // `default` and not `import`: Node's require() of an ES module looks for no other condition.
    exports: {
      ".": { types: "./mod.d.ts", default: "./mod.js" },
      "./nats": { types: "./nats.d.ts", default: "./nats.js" },
      "./testing": { types: "./testing.d.ts", default: "./testing.js" },
      "./schema/*": "./schema/*",
      "./package.json": "./package.json",
    },
    // TypeScript with the module resolution "node10" reads no exports.
    main: "./mod.js",
    types: "./mod.d.ts",
    typesVersions: { "*": { nats: ["./nats.d.ts"], testing: ["./testing.d.ts"] } },
    bin: { brokkr: "cli.js" },
    man: "./brokkr.1",
    engines: { node: ">=20.19" },
    sideEffects: false,
    dependencies: without(dependencies, OPTIONAL),
    // Who has no cluster needs no client; of who has one it is looked for where it is used.
    peerDependencies: only(dependencies, OPTIONAL),
    peerDependenciesMeta: Object.fromEntries(OPTIONAL.map((name) => [name, { optional: true }])),
  };
  return { text: JSON.stringify(content, null, 2) + "\n", messages };
}

const OPTIONAL = ["@nats-io/transport-node"];

function only(packages: Readonly<Record<string, string>>, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(packages).filter(([name]) => names.includes(name)));
}

function without(packages: Readonly<Record<string, string>>, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(packages).filter(([name]) => !names.includes(name)));
}

/** The packages that the emitted files import, with the ranges that deno.json has for them. */
async function findDependencies(folder: string) {
  const ranges = new Map(Object.entries(config.imports));
  const dependencies: Record<string, string> = {};
  const messages: string[] = [];
  for (const name of [...await importedPackages(folder)].sort()) {
    const target = ranges.get(name) ?? "nothing";
    const range = target.match(/^npm:(?:@[^/]+\/)?[^/@]+@([^/]+)$/)?.[1];
    if (range !== undefined) dependencies[name] = range;
    else messages.push(`Cannot name "${name}" in package.json: it is imported and deno.json maps it to ${target}`);
  }
  return { dependencies, messages: messages.join("\n") };
}

async function importedPackages(folder: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (const ending of [".js", ".d.ts"]) {
    for await (const file of files(folder, ending)) {
      for (const specifier of imports(await Deno.readTextFile(file))) {
        if (specifier.startsWith(".") || isBuiltin(specifier)) continue;
        names.add(specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/"));
      }
    }
  }
  return names;
}

/** What `code` imports, as tsc prints it: one statement at the beginning of a line, or a call with a literal. */
function imports(code: string): string[] {
  const bare = code.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = bare.matchAll(/^(?:import|export)\s*(?:(?:type\s+)?[\w*{][^;"'`=]*?\bfrom\s*)?["']([^"']+)["']/gm);
  const calls = bare.matchAll(/\bimport\(["']([^"']+)["']\)/g);
  return [...statements, ...calls].flatMap((match) => match[1] ?? []);
}
