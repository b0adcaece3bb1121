/** Reading a configuration: the file, its text, its values, its paths. All problems are reported at once, each with its place. */

import { dirname, resolve } from "node:path";
import { defined } from "../../core/checks.ts";
import { clusterContradictions } from "../../core/cluster/plan.ts";
import { OrderError, startOrder } from "../../core/broker/options.ts";
import { isWorkerOf } from "../../core/child/role.ts";
import type { ProgramDefinition } from "../../core/module/program.ts";
import type {
  BrokerSettings,
  ClusterSettings,
  ModuleSettings,
  PermissionSettings,
} from "../../core/settings/settings.ts";
import { IN_FILE, isName, NAME_RULE, type Rows, type Table, type Wrong, wrongIn } from "../../core/settings/table.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { readText } from "./config_file.ts";
import {
  contradictions,
  FILE,
  type FileKeys,
  type LogKeys,
  MODULE_KEYS,
  type ModuleKeys,
  PROGRAM_KEYS,
  programContradictions,
  type ProgramKeys,
} from "./file_keys.ts";
import { ConfigDocument, type KeyPath, type Place, type Problem } from "./document.ts";
import { brokerName, expanded, isMcpFile, type McpServer, readServers, serversFolder } from "./mcp_file.ts";
import { modulePath } from "./module_path.ts";

/** A checked configuration. */
export interface Config {
  /** Folder of the file: what its paths are relative to. */
  readonly folder: string;
  readonly broker: BrokerSettings;
  readonly load: "own" | "all";
  /** In the order of the file. */
  readonly modules: readonly (ConfigModule | ConfigProgram)[];
  /** Its path is absolute. */
  readonly log: LogKeys;
  /** Its paths are absolute. */
  readonly cluster?: ClusterSettings;
  /** What the file has that brokkr leaves out. */
  readonly leftOut: readonly Problem[];
}

export interface ConfigModule {
  readonly name: string;
  /** URL of the module's file. */
  readonly url: string;
  /** Where the file is named. */
  readonly place: Place;
  /** Null where the module's own file says it. */
  readonly workers: number | null;
  readonly settings: ModuleSettings;
  /** Where a key of it stands. */
  readonly at: (path: KeyPath) => Place;
}

/** A program in another language. */
export interface ConfigProgram {
  readonly name: string;
  readonly program: ProgramDefinition & { readonly command: readonly string[] };
  /** Its command as it may be shown, where variables of the environment stand in the other one. */
  readonly written?: readonly string[];
  /** Where its command is named. */
  readonly place: Place;
  readonly settings: ModuleSettings;
}

/** @param name what the broker is called, whatever the file says. @throws {ConfigError} */
export async function readConfig(file: string, runtime: Runtime, name?: string): Promise<Config> {
  const document = new ConfigDocument(file, await readText(file));
  const hasServers = isMcpFile(document);
  const folder = hasServers ? serversFolder(file) : dirname(resolve(file));
  const reader = new ConfigReader(document, { folder, runtime, name });
  const config = hasServers ? reader.readServers(file) : reader.read();
  if (config !== null && document.faults.length === 0) return config;
  throw document.error();
}

class ConfigReader {
  readonly #document: ConfigDocument;
  readonly #folder: string;
  readonly #runtime: Runtime;
  readonly #name: string | undefined;

  constructor(
    document: ConfigDocument,
    { folder, runtime, name }: { folder: string; runtime: Runtime; name: string | undefined },
  ) {
    this.#name = name;
    this.#document = document;
    this.#folder = folder;
    this.#runtime = runtime;
  }

  read(): Config | null {
    const given = this.#check<FileKeys>([], FILE);
    const root = given === null || this.#name === undefined ? given : { ...given, name: this.#name };
    const names = this.#document.keys(["modules"]);
    const modules = names.map((name) => this.#module(name)).filter((module) => module !== null);
    if (root === null) return null;
    this.#refuseEqualNames(root.name, modules);
    // A module that is wrong itself is missing here, and may be the one that another names.
    if (modules.length === names.length) this.#refuseDisorder(modules);
    const { $schema: _schema, modules: _modules, load = "own", log = {}, cluster, ...settings } = root;
    if (cluster !== undefined) this.#refuseAll(["cluster"], clusterContradictions(cluster, root.name, names));
    const { level: logLevel, aligned, file } = log;
    return {
      folder: this.#folder,
      broker: { ...settings, ...defined({ logLevel, aligned }) },
      load,
      modules,
      log: { ...log, ...defined({ file: file && resolve(this.#folder, file) }) },
      ...defined({ cluster: cluster && clusterIn(this.#folder, cluster) }),
      leftOut: [],
    };
  }

  readServers(file: string): Config {
    const name = this.#name ?? brokerName(file);
    const { servers, leftOut } = readServers(this.#document);
    const modules = servers.map((server) => this.#server(server));
    const taken = servers.find((server) => server.name === name);
    if (taken !== undefined) {
      const text = `server "${name}" has the broker's name, which is that of the file: give another one with --name`;
      this.#document.refuseKey(taken.place, text);
    }
    if (modules.length === 0) this.#document.faults.push(...leftOut);
    return { folder: this.#folder, broker: { name }, load: "own", modules, log: {}, leftOut };
  }

  #server({ name, command, args, env, cwd, place }: McpServer): ConfigProgram {
    const { env: variables } = this.#runtime;
    const expand = (text: string, path: KeyPath) => {
      const get = (variable: string) => variable === "workspaceFolder" ? this.#folder : variables.get(variable);
      const { value, missing } = expanded(text, get);
      if (missing !== null) this.#document.refuse([...place, ...path], missing);
      return value;
    };
    const executable = command.includes("/") ? resolve(this.#folder, command) : command;
    const values = Object.entries(env).map(([key, value]) => [key, expand(value, ["env", key])] as const);
    return {
      name,
      program: {
        name,
        command: [executable, ...args.map((arg, index) => expand(arg, ["args", index]))],
        protocol: "mcp",
      },
      written: [command, ...args],
      place: this.#document.placeOf([...place, "command"]),
      settings: {
        cwd: resolve(this.#folder, cwd),
        ...(values.length === 0 ? {} : { env: Object.fromEntries(values) }),
      },
    };
  }

  #module(name: string): ConfigModule | ConfigProgram | null {
    const place: KeyPath = ["modules", name];
    if (!isName(name)) this.#document.refuseKey(place, `the name of a module must be ${NAME_RULE}`);
    const keys = this.#document.keys(place);
    if (keys.includes("command")) return this.#program(name, keys);
    const module = this.#check<ModuleKeys>(place, MODULE_KEYS);
    if (module === null) return null;
    this.#refuseAll(place, contradictions(module, this.#runtime));
    const { path, workers = null, ...settings } = module;
    const { url, wrong } = modulePath(path, { folder: this.#folder, runtime: this.#runtime });
    if (wrong !== null) this.#refuseAll(place, [{ path: ["path"], part: "value", text: wrong }]);
    const at = (path: KeyPath) => this.#document.placeOf([...place, ...path]);
    return { name, url, place: at(["path"]), workers, settings: inFolder(this.#folder, settings), at };
  }

  /** A program in another language. */
  #program(name: string, keys: readonly string[]): ConfigProgram | null {
    const place: KeyPath = ["modules", name];
    const isBoth = keys.includes("path");
    if (isBoth) {
      const later = keys.indexOf("path") < keys.indexOf("command") ? "command" : "path";
      const remedy = 'keep "path" for a module in JavaScript, or "command" for a program in another language';
      this.#document.refuseKey([...place, later], `"path" and "command" contradict each other: ${remedy}`);
    }
    // The other keys of one that is both may be of either.
    const program = this.#check<ProgramKeys>(place, isBoth ? { ...MODULE_KEYS, ...PROGRAM_KEYS } : PROGRAM_KEYS);
    if (program === null) return null;
    this.#refuseAll(place, contradictions(program, this.#runtime));
    for (const [key, text] of programContradictions(program)) this.#document.refuseKey([...place, key], text);
    const { command, args: more = [], protocol = "json-rpc", framing, initialize, ready, ...settings } = program;
    const [executable = "", ...args] = typeof command === "string" ? [command, ...more] : command;
    const definition = {
      name,
      // A name is looked up on PATH, a path is relative like all others.
      command: [executable.includes("/") ? resolve(this.#folder, executable) : executable, ...args],
      protocol,
      ...defined({ framing, initialize, ready }),
    };
    const at = this.#document.placeOf([...place, "command"]);
    const { cwd = PROGRAM_KEYS.cwd.default } = settings;
    return { name, program: definition, place: at, settings: inFolder(this.#folder, { ...settings, cwd }) };
  }

  /** The value at `place` where it is what `rows` want, after saying what is wrong; unknown keys do not matter for that. */
  #check<S>(place: KeyPath, rows: Rows<S>): S | null;
  #check(place: KeyPath, rows: Table): unknown {
    const value = this.#document.value(place);
    const all = [...wrongIn(rows, value, IN_FILE)];
    const wrong = all.filter(({ part }) => part !== "key");
    for (const { path, part, text } of all) if (part === "key") this.#document.refuseKey([...place, ...path], text);
    this.#refuseAll(place, wrong);
    return wrong.length === 0 ? value : null;
  }

  /** Refuses values and keys below `place`, each by its name. */
  #refuseAll(place: KeyPath, wrong: readonly Wrong[]): void {
    for (const { path, part, text } of wrong) {
      const at = [...place, ...path];
      const named = `${at.length === 0 ? "the configuration" : at.join(".")} ${text}`;
      if (part === "key") this.#document.refuseKey(at, named);
      else this.#document.refuse(at, named);
    }
  }

  #refuseEqualNames(broker: string, modules: readonly (ConfigModule | ConfigProgram)[]): void {
    const byName = new Map(modules.map((module) => [module.name, module]));
    if (byName.has(broker)) {
      this.#document.refuseKey(["modules", broker], `module "${broker}" has the broker's name, rename one of them`);
    }
    for (const name of new Set([broker, ...byName.keys()])) {
      const module = byName.get(name.slice(0, name.lastIndexOf("-")));
      if (module === undefined || !isWorkerOf(module.name, name, workersOf(module))) continue;
      const text = `worker "${name}" has the name of another process, rename one of them`;
      this.#document.refuseKey(["modules", module.name], text);
    }
  }

  #refuseDisorder(modules: readonly (ConfigModule | ConfigProgram)[]): void {
    try {
      startOrder(modules.map(({ name, settings }) => ({ name, after: settings.after ?? [] })));
    } catch (error) {
      if (!(error instanceof OrderError)) throw error;
      const wrong = { path: [error.module, "after"], part: "value", text: `is wrong: ${error.message}` } as const;
      this.#refuseAll(["modules"], [wrong]);
    }
  }
}

function workersOf(module: ConfigModule | ConfigProgram): number {
  return "workers" in module ? module.workers ?? 0 : 0;
}

/** Only its files have paths. */
function clusterIn(folder: string, { auth, tls, ...settings }: ClusterSettings): ClusterSettings {
  const absolute = <T extends object>(group: T, paths: readonly string[]): T => ({
    ...group,
    ...Object.fromEntries(
      Object.entries(group).flatMap(([key, path]) => paths.includes(key) ? [[key, resolve(folder, path)]] : []),
    ),
  });
  return {
    ...settings,
    ...defined({ auth: auth && absolute(auth, ["creds", "nkey"]), tls: tls && absolute(tls, ["ca", "cert", "key"]) }),
  };
}

const PATH_RIGHTS: ReadonlySet<string> = new Set(["read", "write", "ffi"]);

/** Settings whose paths are absolute, as a process may have another working directory than the configuration's folder. */
function inFolder(folder: string, { cwd, permissions, ...settings }: ModuleSettings): ModuleSettings {
  return {
    ...settings,
    ...defined({ permissions: permissions && rightsIn(folder, permissions), cwd: cwd && resolve(folder, cwd) }),
  };
}

function rightsIn(folder: string, permissions: PermissionSettings): PermissionSettings {
  const absolute = Object.entries(permissions).map(([kind, value]) => {
    const isPaths = PATH_RIGHTS.has(kind) && typeof value === "object";
    return [kind, isPaths ? value.map((path) => resolve(folder, path)) : value];
  });
  return Object.fromEntries(absolute);
}
