/** Keys of a module that are right by themselves and wrong together. */

import { isRecord } from "../../core/checks.ts";
import { NOT_WITH_WORKERS } from "../../core/module/permissions.ts";
import { againstProtocol, ARGS_TWICE, wrongReady } from "../../core/module/program.ts";
import { MODULE } from "../../core/settings/settings.ts";
import { filled, type Table } from "../../core/settings/table.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { ModuleKeys, ProgramKeys } from "./file_keys.ts";

export interface Contradiction {
  /** Below the module's name. */
  readonly path: readonly string[];
  /** What follows the place's name in the message. */
  readonly text: string;
}

export function contradictions(
  module: ModuleKeys | ProgramKeys,
  { cannotSandbox, cannotTakeFlags }: Pick<Runtime, "cannotSandbox" | "cannotTakeFlags">,
): Contradiction[] {
  const hasFlags = "path" in module && module.runtimeArgs !== undefined;
  const text = `cannot be given, as ${cannotTakeFlags}`;
  const untaken = hasFlags && cannotTakeFlags !== null ? [{ path: ["runtimeArgs"], text }] : [];
  return [...untaken, ...unkept(module, cannotSandbox), ...disordered(MODULE, { ...module })];
}

function unkept(module: ModuleKeys | ProgramKeys, cannotSandbox: string | null): Contradiction[] {
  if (!("path" in module) || module.permissions === undefined) return [];
  const { workers = 0 } = module;
  const why = cannotSandbox === null ? workers > 0 ? NOT_WITH_WORKERS : null : `cannot be kept, as ${cannotSandbox}`;
  return why === null ? [] : [{ path: ["permissions"], text: why }];
}

/** Numbers above the one that they must not exceed; the message stands at the one that is written. */
function disordered(
  rows: Table,
  values: Readonly<Record<string, unknown>>,
  path: readonly string[] = [],
): Contradiction[] {
  return Object.entries(rows).flatMap(([key, row]) => {
    const part = values[key];
    if (row.is === "group") return isRecord(part) ? disordered(row.keys, part, [...path, key]) : [];
    if (row.is !== "number" || row.upTo === undefined || (part === undefined && row.adapts)) return [];
    const upper = row.upTo;
    const { [key]: low, [upper]: high } = filled(rows, values);
    if (typeof low !== "number" || typeof high !== "number" || low <= high) return [];
    const shown = (name: string, value: number) => `${name} (${value}${name in values ? "" : " by default"})`;
    return part === undefined
      ? [{ path: [...path, upper], text: `must be at least ${shown(key, low)}, and it is ${high}` }]
      : [{ path: [...path, key], text: `must be at most ${shown(upper, high)}, and it is ${low}` }];
  });
}

/** What follows no place: the keys of a program that go with its protocol only. */
export function programContradictions(program: ProgramKeys): Contradiction[] {
  const { command, args, protocol = "json-rpc", framing, initialize, ready } = program;
  const found: Contradiction[] = [];
  if (args !== undefined && typeof command !== "string") found.push({ path: ["args"], text: ARGS_TWICE });
  const against = againstProtocol(protocol, (key) => key in program);
  if (against !== null) found.push({ path: [against.key], text: against.text });
  const wrong = ready === undefined ? null : wrongReady(ready);
  if (wrong !== null) found.push({ path: ["ready"], text: wrong });
  if (protocol === "none") return found;
  if (framing !== undefined && protocol !== "json-rpc") {
    found.push({ path: ["framing"], text: `framing is set by protocol "${protocol}", remove it` });
  }
  if (initialize !== undefined && protocol === "json-rpc") {
    const text = 'initialize is for protocol "mcp" or "lsp" only, set one of them or remove it';
    found.push({ path: ["initialize"], text });
  }
  return found;
}
