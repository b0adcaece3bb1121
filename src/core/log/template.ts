/** A wording with places for values: `Executing command [{command}] with param {params}`. */
export interface Template {
  /** One more than {@link values}; the first begins the text and the last ends it. */
  readonly words: readonly string[];
  readonly names: readonly string[];
}

export function makeTemplate(wording: string): Template {
  const parts = wording.split(/\{(\w+)\}/);
  return {
    words: parts.filter((_, index) => index % 2 === 0),
    names: parts.filter((_, index) => index % 2 === 1),
  };
}

/**
 * The values of a text of this wording in their order, trimmed except for a last one that ends the text; else null.
 * A value ends where the next words first stand, the one before the last words where those end the text.
 */
export function matchTemplate({ words, names }: Template, text: string): string[] | null {
  const first = words[0] ?? "";
  if (!text.startsWith(first)) return null;
  const last = words[words.length - 1] ?? "";
  if (names.length === 0) return text.trimEnd() === first ? [] : null;
  const end = text.length - last.length;
  if (!text.endsWith(last) || end < first.length) return null;
  const values: string[] = [];
  let at = first.length;
  for (let index = 1; index < words.length - 1; index++) {
    const word = words[index] ?? "";
    const found = text.indexOf(word, at);
    if (found === -1 || found + word.length > end) return null;
    values.push(text.slice(at, found).trim());
    at = found + word.length;
  }
  const value = text.slice(at, end);
  values.push(last === "" ? value : value.trim());
  return values;
}

/** {@link matchTemplate} for a text in which any run of white space stands for one space. */
export function matchSpaced(template: Template, text: string, collapsed = collapse(text)): string[] | null {
  if (collapsed === text) return null;
  const values = matchTemplate(template, collapsed);
  if (values === null || template.words.at(-1) !== "") return values;
  // A value that ends the text is free text: its own white space is kept.
  const length = (values.pop() ?? "").replaceAll(" ", "").length;
  let at = text.trimEnd().length;
  for (let left = length; left > 0; at--) if (!/\s/.test(text.charAt(at - 1))) left--;
  return [...values, text.slice(at)];
}

/** `text` with one space for each run of white space. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
