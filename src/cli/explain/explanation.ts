/** What an operator needs to know of an event. */
export interface Explanation {
  /** What happened, in one or two sentences. */
  readonly what: string;
  /** Why it happens. */
  readonly why: string;
  /** What to look at, the likeliest first; empty where there is nothing to do. */
  readonly check: readonly string[];
  /** What brokkr did about it. */
  readonly did: string;
}
