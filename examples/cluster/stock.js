/** A module that the broker "web" has, and "front" calls. A plain object is a module: nothing is imported. */

const pieces = new Map([["bolt", 120], ["nut", 8]]);

export default {
  name: "stock",
  commands: {
    /** How many pieces there are of an article. */
    get_count(article) {
      const count = pieces.get(article);
      if (count === undefined) throw new RangeError(`"${article}" is no article`);
      return count;
    },
    /** Articles of which there are few, one after the other. */
    async *get_low() {
      for (const [article, count] of pieces) if (count < 10) yield { article, count, askedBy: this.caller };
    },
    /** Not exported: other machines do not see it. */
    clear() {
      pieces.clear();
    },
  },
};
