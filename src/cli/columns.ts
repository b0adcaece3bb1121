/**
 * How wide text is on a terminal: most characters have one column, those of East Asia and pictures two, marks none.
 *
 * @module
 */

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** Nothing but characters of one column. */
const PLAIN = /^[\x20-\x7e\u2500-\u259f–—…≤↑↓µ×]*$/;

/** Columns that `text`, which has no control characters, takes. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += width(character);
  return columns;
}

/** Exactly `columns` of them, cut with an ellipsis where it is wider. */
export function fit(text: string, columns: number): string {
  const own = columnsOf(text);
  if (own <= columns) return text + " ".repeat(columns - own);
  if (columns <= 0) return "";
  let cut = "";
  let used = 0;
  for (const character of text) {
    used += width(character);
    if (used >= columns) break;
    cut += character;
  }
  return `${cut}…`.padEnd(cut.length + 1 + Math.max(0, columns - 1 - columnsOf(cut)));
}

function width(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
