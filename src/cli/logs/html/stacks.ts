import { count } from "../figures.ts";
import type { Group } from "../groups.ts";
import type { StackFacts } from "../trouble_groups.ts";
import { element } from "./element.ts";

/** Each group as what can be opened, the most frequent ones first. */
export function stackGroups(groups: readonly Group<StackFacts>[], others: number): string | null {
  if (groups.length === 0) return null;
  const shown = groups.map((group) => {
    const { facts, modules, commands, first, last } = group;
    const where = [modules.join(", "), commands.join(", ")].filter((names) => names !== "").join(" ");
    return `<details>${element("summary", `${count(group.count)}× ${facts.message}`)}` +
      `${element("p", `In ${where}, ${first} to ${last}`)}${element("pre", facts.stack.join("\n"))}</details>`;
  });
  const rest = others === 0 ? "" : element("p", `And ${count(others)} more that are in no group.`);
  return shown.join("\n") + rest;
}
