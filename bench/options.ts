/** The command line of a comparison: `--name value` for each option, all of them with a default. */

import { parseArgs } from "node:util";
import { readOptions } from "../scripts/options.ts";

/** Options whose values are some of those that the default lists. */
const CHOICES = ["runtime", "rows", "sides"];

/** The default of an option without a value, which is "true" where it is given. */
const NO = "false";

type Texts = Readonly<Record<string, string>>;

/** The given values beside the defaults. A wrong one, or `--help`, shows what may be given and ends the program. */
export function optionsOf<Defaults extends Texts>(task: string, defaults: Defaults): Defaults {
  const usage = `deno task ${task} ${
    Object.entries(defaults).map(([name, value]) => value === NO ? `[--${name}]` : `[--${name} ${value}]`).join(" ")
  }`;
  return readOptions(usage, () => ({ ...defaults, ...given(defaults) }));
}

/** @throws {TypeError} */
function given(defaults: Texts): Texts {
  const kindOf = (usual: string) => ({ type: usual === NO ? "boolean" : "string" }) as const;
  const options = Object.fromEntries(Object.entries(defaults).map(([name, usual]) => [name, kindOf(usual)]));
  const { values } = parseArgs({ args: Deno.args, options });
  const texts = Object.entries(values).map(([name, value]) => [name, String(value)] as const);
  for (const [name, value] of texts) check(name, value, defaults[name] ?? "");
  return Object.fromEntries(texts);
}

/** @throws {TypeError} */
function check(name: string, value: string, usual: string): void {
  if (CHOICES.includes(name)) {
    const choices = usual.split(",");
    const unknown = value.split(",").find((part) => !choices.includes(part));
    if (unknown !== undefined) throw new TypeError(`--${name} "${unknown}" is none of ${choices.join(", ")}`);
  } else if (/^\d+$/.test(usual)) {
    const least = Math.min(Number(usual), 1);
    if (!/^\d+$/.test(value) || Number(value) < least) {
      throw new TypeError(`--${name} "${value}" is not a whole number of at least ${least}`);
    }
  }
}
