// The heavy work: a module with two workers. What it computes never blocks the server, which is another process.

import process from "node:process";
import { defineModule } from "brokkr";

export const numbers = defineModule({
  name: "numbers",
  workers: {
    count: 2,
    commands: { count_primes: (below) => countPrimes(below) },
  },
  commands: (ctx) => ({
    async count_primes(below) {
      if (!Number.isInteger(below) || below < 0) {
        throw new RangeError(`below must be a whole number, and it is ${below}`);
      }
      // The caller's signal goes along: a visitor who left cancels the work that still waits.
      return await ctx.workers.call("count_primes", [below], { timeoutMs: 10_000, signal: this.signal });
    },
    crash: () => process.exit(3),
  }),
});

function countPrimes(below) {
  const composite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n++) {
    if (composite[n]) continue;
    count++;
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
  }
  return count;
}
