/** What docs/log-lines.md says of each event, from the table of events, and its samples, from those of the tests. */

import { EVENT_IDS, type EventId, EVENTS } from "../../src/core/log/events.ts";
import type { Field } from "../../src/core/log/field_types.ts";
import { makeTemplate } from "../../src/core/log/format.ts";
import { OWN_SAMPLES } from "../../tests/core/log/samples.ts";

/** The page's text with its list and its samples, between `<!-- events -->` or `<!-- samples -->` and `<!-- end -->`, written anew. */
export function withEvents(page: string): string {
  return withPart(withPart(page, "events", EVENT_IDS.map(itemOf).join("\n")), "samples", samples());
}

function withPart(page: string, name: string, text: string): string {
  const part = new RegExp(`^(<!-- ${name} -->\n).*?^(?=<!-- end -->$)`, "ms");
  if (!part.test(page)) throw new Error(`Cannot write the part "${name}" of the page: it has no <!-- ${name} -->`);
  return page.replace(part, (_, start: string) => `${start}\n${text}\n\n`);
}

function itemOf(id: EventId): string {
  const { tag, level, levelWith, what, why, check, did, guide } = EVENTS[id];
  const most = levelWith === undefined ? "" : "at most ";
  const links = guide === undefined ? "" : ` See ${guide}.`;
  return [
    `- \`${id}\`, ${most}${level.toUpperCase()}, \`${tag}\`: ${lineOf(id)}`,
    "",
    `  ${marked(`${what} ${why}`)}${links}`,
    ...check.map((text) => `  - Check: ${marked(text)}`),
    `  - brokkr: ${marked(did)}`,
    `  - Fields: ${fieldsOf(id)}.`,
    "",
  ].join("\n");
}

/** The line, with words in capitals for values. */
function lineOf(id: EventId): string {
  const { template, fields, written, linesShown = (line: string) => line } = EVENTS[id];
  if (written !== undefined) return written.shown;
  const types: Readonly<Record<string, Field<unknown>>> = fields;
  const { words, names } = makeTemplate(template ?? "");
  const values = names.map((name) => {
    const type = types[name];
    const shown = type !== undefined && "print" in type ? type.shown : undefined;
    return shown ?? name.replace(/^.*(?=[A-Z])/, "").toUpperCase();
  });
  return linesShown(`\`${words.map((word, index) => word + (values[index] ?? "")).join("")}\``);
}

function fieldsOf(id: EventId): string {
  const types: Readonly<Record<string, Field<unknown>>> = EVENTS[id].fields;
  const fields = Object.entries(types).map(([name, { check, choices }]) => {
    const values = choices === undefined ? "" : ` (${choices.map((choice) => `\`"${choice}"\``).join(" or ")})`;
    return `\`${name}\`${values}${check(null) ? " or null" : ""}`;
  });
  return fields.length === 0 ? "none" : fields.join(", ");
}

/** With ids, and what stands in quotes, as code. */
function marked(text: string): string {
  return text.replace(/(?<=^|\s)"([^"`]+)"/g, "`$1`").replace(IDS, "`$1`");
}

const IDS = new RegExp(`(?<![\\w\`."(-])(${EVENT_IDS.map((id) => id.replace(".", "\\.")).join("|")})(?![\\w\`-])`, "g");

/** The first sample of each event. */
function samples(): string {
  const seen = new Set<EventId>();
  const lines = OWN_SAMPLES.filter(([{ event }]) => !seen.has(event) && seen.add(event)).map(([, line]) => line);
  return `\`\`\`text\n${lines.join("\n")}\n\`\`\``;
}
