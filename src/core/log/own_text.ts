/**
 * A copy of `text` with memory of its own. What is cut out of a long text keeps all of it in memory, so whatever is kept
 * while other lines are read must be a copy.
 */
export function ownText(text: string): string {
  // Joined texts are copied when they are cut; there is no other way to ask for it.
  return ` ${text}`.slice(1);
}
