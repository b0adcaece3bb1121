// Prices. Plain JavaScript and no import: a plain object of the shape that defineModule takes is a module too.

const prices = new Map([["bolt", 0.25], ["nut", 0.5], ["washer", 0.125]]);

export default {
  name: "prices",
  workers: {
    count: 1, // brokkr.json says 2
    commands: {
      sum: (items) => items.reduce((sum, item) => sum + (prices.get(item) ?? 0), 0),
    },
  },
  commands: (ctx) => ({
    get_price: (item) => {
      const price = prices.get(item);
      if (price === undefined) throw new RangeError(`"${item}" has no price`);
      return price;
    },
    get_total: (...items) => ctx.workers.call("sum", [items]),
  }),
};
