/**
 * Reading a configuration: the file, its text, its values, its paths. What is wrong is told with its place, all of it at once.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { OrderError, startOrder } from "../../core/broker/order.ts";
import { show } from "../../core/show.ts";
import { unknownKey } from "../../core/unknown_key.ts";
import { isWorkerOf } from "../../core/child/role.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Config, ConfigModule, ConfigProgram } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { ConfigDocument, type Fault, type KeyPath } from "./document.ts";
import { inFolder } from "./in_folder.ts";
import { modulePath } from "./module_path.ts";
import { readText } from "./read_text.ts";
import { contradictions } from "./contradictions.ts";
import { entriesOf } from "./entries.ts";
import { programContradictions, programOf } from "./program.ts";
import { eitherSchema, moduleNameSchema, moduleSchema, programSchema, rootSchema } from "./schema.ts";

/** @throws {ConfigError} */
export async function readConfig(file: string, runtime: Runtime): Promise<Config> {
  const document = new ConfigDocument(file, await readText(file));
  const reader = new ConfigReader(document, { folder: dirname(resolve(file)), runtime });
  const config = reader.read();
  if (config !== null && reader.faults.length === 0) return config;
  const faults = reader.faults.toSorted((one, other) => one.offset - other.offset);
  throw new ConfigError(faults.map((fault) => fault.problem));
}

class ConfigReader {
  readonly faults: Fault[] = [];
  readonly #document: ConfigDocument;
  readonly #folder: string;
  readonly #runtime: Runtime;

  constructor(document: ConfigDocument, { folder, runtime }: { folder: string; runtime: Runtime }) {
    this.#document = document;
    this.#folder = folder;
    this.#runtime = runtime;
  }

  read(): Config | null {
    this.faults.push(...this.#document.duplicates());
    this.#refuseUnknown([], rootSchema);
    const root = this.#check([], rootSchema);
    const modules = this.#document.keys(["modules"]).map((name) => this.#module(name));
    if (root === null) return null;
    this.#refuseEqualNames(root.name, modules);
    this.#refuseDisorder(modules.filter((module) => module !== null));
    const { log = {}, call = {}, image = "own", name, product, startConcurrency, sweep } = root;
    const file = log.file === undefined ? undefined : resolve(this.#folder, log.file);
    return {
      folder: this.#folder,
      name,
      call,
      image,
      modules: modules.filter((module) => module !== null),
      log: { ...log, file },
      product,
      startConcurrency,
      sweep,
    };
  }

  #module(name: string): ConfigModule | ConfigProgram | null {
    const place: KeyPath = ["modules", name];
    if (!v.is(moduleNameSchema, name)) {
      this.#fault(
        this.#document.atKey(place, `the name of a module must be 1 to 64 of the characters A-Z a-z 0-9 . _ -`),
      );
    }
    const keys = this.#document.keys(place);
    if (keys.includes("command")) return this.#program(name, keys);
    this.#refuseUnknown(place, moduleSchema);
    const module = this.#check(place, moduleSchema);
    if (module === null) return null;
    this.#refuseContradictions(name, module);
    const { path, workers = null, ...settings } = module;
    const { url, wrong } = modulePath(path, { folder: this.#folder, runtime: this.#runtime });
    if (wrong !== null) this.#fault(this.#document.at([...place, "path"], `modules.${name}.path ${wrong}`));
    const at = this.#document.placeOf([...place, "path"]);
    return { name, url, place: at, workers, settings: inFolder(this.#folder, settings) };
  }

  /** A program of another language. */
  #program(name: string, keys: readonly string[]): ConfigProgram | null {
    const place: KeyPath = ["modules", name];
    if (keys.includes("path")) {
      const later = keys.indexOf("path") < keys.indexOf("command") ? "command" : "path";
      const remedy = 'keep "path" for a module in JavaScript, or "command" for a program in another language';
      this.#fault(this.#document.atKey([...place, later], `"path" and "command" contradict each other: ${remedy}`));
    }
    this.#refuseUnknown(place, keys.includes("path") ? eitherSchema : programSchema);
    const program = this.#check(place, programSchema);
    if (program === null) return null;
    this.#refuseContradictions(name, program);
    for (const { key, text } of programContradictions(program)) {
      this.#fault(this.#document.atKey([...place, key], text));
    }
    const { settings, definition } = programOf(name, program, this.#folder);
    const at = this.#document.placeOf([...place, "command"]);
    return { name, program: definition, place: at, settings: inFolder(this.#folder, settings) };
  }

  #refuseContradictions(name: string, module: Parameters<typeof contradictions>[0]): void {
    for (const { key, text } of contradictions(module, this.#runtime)) {
      this.#fault(this.#document.at(["modules", name, ...key], `modules.${name}.${key.join(".")} ${text}`));
    }
  }

  /** Refuses keys that the object at `place` may not have, and those of the objects in it; a list is no object. */
  #refuseUnknown(place: KeyPath, schema: v.GenericSchema): void {
    const value = this.#document.value(place);
    const known = entriesOf(schema, value);
    if (known === null) return;
    if (Array.isArray(value)) {
      this.#fault(this.#document.at(place, `${nameOf(place)} must be an object, and it is a list`));
    }
    for (const key of this.#document.keys(place)) {
      const entry = known.get(key);
      if (entry !== undefined) this.#refuseUnknown([...place, key], entry);
      else this.#fault(this.#document.atKey([...place, key], unknownKey(key, [...known.keys()])));
    }
  }

  /** The value at `place` as `schema` wants it, or null after saying what is wrong. */
  #check<const S extends v.GenericSchema>(place: KeyPath, schema: S): v.InferOutput<S> | null {
    const value = this.#document.value(place);
    // Told with the keys.
    if (Array.isArray(value)) return null;
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    // A value may break several rules that have one text.
    const told = new Set<string>();
    for (const issue of result.issues) {
      const path = [...place, ...(issue.path ?? []).map(({ key }) => typeof key === "number" ? key : String(key))];
      const text = issue.input === undefined
        ? `${nameOf(path)} is missing, add it`
        : `${nameOf(path)} must be ${issue.message}, and it is ${show(issue.input)}`;
      if (!told.has(text)) this.#fault(this.#document.at(path, text));
      told.add(text);
    }
    return null;
  }

  #refuseEqualNames(broker: string, modules: readonly (ConfigModule | ConfigProgram | null)[]): void {
    const byName = new Map(modules.flatMap((module) => module === null ? [] : [[module.name, module]]));
    if (byName.has(broker)) {
      const place = ["modules", broker];
      this.#fault(this.#document.atKey(place, `module "${broker}" has the broker's name, rename one of them`));
    }
    for (const name of new Set([broker, ...byName.keys()])) {
      const module = byName.get(name.slice(0, name.lastIndexOf("-")));
      if (module === undefined || !isWorkerOf(module.name, name, workersOf(module))) continue;
      const place = ["modules", module.name];
      this.#fault(this.#document.atKey(place, `worker "${name}" has the name of another process, rename one of them`));
    }
  }

  #refuseDisorder(modules: readonly (ConfigModule | ConfigProgram)[]): void {
    // A module that is wrong itself is missing here, and may be the one that another names.
    if (modules.length < this.#document.keys(["modules"]).length) return;
    try {
      startOrder(modules.map(({ name, settings }) => ({ name, after: settings.after ?? [] })));
    } catch (error) {
      if (!(error instanceof OrderError)) throw error;
      const text = `modules.${error.module}.after is wrong: ${error.message}`;
      this.#fault(this.#document.at(["modules", error.module, "after"], text));
    }
  }

  #fault(fault: Fault): void {
    this.faults.push(fault);
  }
}

function workersOf(module: ConfigModule | ConfigProgram): number {
  return "workers" in module ? module.workers ?? 0 : 0;
}

function nameOf(path: KeyPath): string {
  return path.length === 0 ? "the configuration" : path.join(".");
}
