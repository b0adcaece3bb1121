/** The oldest version of each runtime that passes the suite, as the README says. */
export const OLDEST = { Deno: "2.7", Node: "20.19", Bun: "1.4.1" } as const;
