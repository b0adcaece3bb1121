/**
 * Keys, from what a terminal sends for them.
 *
 * @module
 */

const SEQUENCES: ReadonlyMap<string, string> = new Map([
  ["\x1b[A", "up"],
  ["\x1bOA", "up"],
  ["\x1b[B", "down"],
  ["\x1bOB", "down"],
  ["\x1b[5~", "page-up"],
  ["\x1b[6~", "page-down"],
  ["\x1b[H", "home"],
  ["\x1b[1~", "home"],
  ["\x1b[F", "end"],
  ["\x1b[4~", "end"],
  ["\r", "enter"],
  ["\n", "enter"],
  ["\x03", "quit"],
  ["\x1b", "escape"],
  ["\x7f", "escape"],
  ["\x0c", "redraw"],
]);

/** The keys in one read of a terminal: names for the special ones, else the character itself. */
export function keysOf(text: string): string[] {
  const keys: string[] = [];
  for (let at = 0; at < text.length;) {
    const behind = text[at] === "\x1b" ? /^(?:\[[\d;]*[A-Za-z~]|O[A-Z])?/.exec(text.slice(at + 1))?.[0] : undefined;
    const sequence = behind === undefined ? "" : `\x1b${behind}`;
    const whole = sequence === "" ? String.fromCodePoint(text.codePointAt(at) ?? 0) : sequence;
    const known = SEQUENCES.get(whole);
    if (known !== undefined) keys.push(known);
    else if (sequence === "") keys.push(whole);
    at += whole.length;
  }
  return keys;
}
