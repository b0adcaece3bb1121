/** What is in stock. TypeScript, with the types of the library; its options come from brokkr.json. */

import { defineModule } from "brokkr";

const stock = new Map([["bolt", 120], ["nut", 3], ["washer", 48]]);

export default defineModule({
  name: "stock",
  commands: (ctx) => ({
    get_amount: (item: string) => stock.get(item) ?? 0,
    get_low: () => [...stock].filter(([, amount]) => amount < lowBelow(ctx.options)).map(([item]) => item),
    /** Asks the other module, which this file does not import: by its name, with an unknown result. */
    get_value: async (item: string): Promise<number> => {
      const price = await ctx.call("prices", "get_price", [item]);
      return (stock.get(item) ?? 0) * Number(price);
    },
  }),
});

/** Options come from a file, so they are checked. */
function lowBelow(options: unknown): number {
  const fields = new Map<string, unknown>(Object.entries(options ?? {}));
  return Number(fields.get("lowBelow") ?? 10);
}
