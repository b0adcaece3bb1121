/**
 * An operator's line without what stands around its text: for screens that have no room for it.
 *
 * @module
 */

/** What stands behind the date, the level and all brackets of the prefix. */
export function operatorText(line: string): string {
  return line.replace(/^\[[^\]]*\] [A-Z]+ *: (?:\[ ?[^\]]* ?\] )*/, "");
}
