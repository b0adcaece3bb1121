// Values such as programs send, made anew from a seed, so that nothing can be tuned to one set of them.

const LARGE_BYTES = 1024 * 1024;

/** The kinds of values, about 500 bytes each as JSON but for the one object that all figures were of once, and those of 1 MiB. */
export const KINDS = {
  mix: "the mix",
  ascii: "one shape, ASCII",
  nonascii: "one shape, non-ASCII",
  shapes10: "10 shapes",
  shapes40: "40 shapes",
  shapes400: "400 shapes",
  nested: "nested",
  optional: "optional keys",
  map: "a map with changing keys",
  text: "one 500-byte text",
  numbers: "60 numbers",
  object: "one object of 105 bytes",
  bytes: "1 MiB of bytes",
  largetext: "1 MiB of text",
  records: "1 MiB of records",
};

/** Kinds of which two calls in flight are many. */
export const LARGE = ["bytes", "largetext", "records"];

/** Distinct values of a kind, the same for the same seed. More than there are calls in flight. */
export function makeValues(kind, { seed = 1, count = LARGE.includes(kind) ? 4 : 4096 } = {}) {
  const random = randomOf(`${kind} ${seed}`);
  const make = makerOf(kind, random);
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Whether `answer` is the echo of `value`, by what is cheap to compare and differs for each value. */
export function isEcho(answer, value) {
  if (typeof value === "string") return answer === value;
  if (typeof value.length === "number") return answer.length === value.length && isSameItem(answer[0], value[0]);
  return answer.id === value.id;
}

function isSameItem(answer, item) {
  return typeof item === "object" ? answer.id === item.id : answer === item;
}

function makerOf(kind, random) {
  const { below, pick, chance } = random;
  switch (kind) {
    case "mix": {
      // What three modules send.
      const modules = Array.from({ length: 3 }, () => makeShapes(random, 40 + below(41), { isDeep: true }));
      const shapes = modules.flat();
      return (index) => pick(shapes)(index);
    }
    case "object":
      return (index) => ({
        id: index,
        host: `host-${index % 1000}.example.org`,
        state: index % 2 === 0 ? "up" : "down",
        tags: ["disk", "cpu"],
        value: index * 1.5,
      });
    case "ascii":
    case "nonascii": {
      const keys = names(random, 15);
      const words = kind === "ascii" ? ASCII : OTHER;
      const length = kind === "ascii" ? 19 : 12;
      return (index) => objectOf(["id", ...keys], (key) => key === "id" ? index : text(random, words, length));
    }
    case "shapes10":
    case "shapes40":
    case "shapes400": {
      const shapes = makeShapes(random, Number(kind.slice("shapes".length)), { isDeep: false });
      return (index) => shapes[index % shapes.length](index);
    }
    case "nested": {
      const keys = names(random, 12);
      const level = (depth) =>
        objectOf(
          keys.slice(depth * 3, depth * 3 + 3),
          (key) => key === keys[depth * 3] && depth < 3 ? [level(depth + 1), level(depth + 1)] : field(random),
        );
      return (index) => ({ id: index, [keys[0]]: level(1) });
    }
    case "optional": {
      const keys = names(random, 30);
      return (index) =>
        objectOf(["id", ...keys.filter(() => chance(0.6))], (key) => key === "id" ? index : field(random));
    }
    case "map":
      return (index) =>
        Object.fromEntries([
          ["id", index],
          ...Array.from({ length: 14 }, () => [`${pick(ASCII)}-${below(1e6)}`, below(1e6)]),
        ]);
    case "text":
      return (index) => `${index} ${text(random, chance(0.2) ? OTHER : ASCII, 490)}`;
    case "numbers":
      return (index) => [index, ...Array.from({ length: 59 }, () => number(random))];
    case "bytes":
      return (index) => new Uint8Array(LARGE_BYTES).fill(index + 1);
    case "largetext":
      return (index) => `${index} ${text(random, ASCII, LARGE_BYTES)}`;
    case "records": {
      const [shape] = makeShapes(random, 1, { isDeep: false });
      return () => Array.from({ length: LARGE_BYTES >> 9 }, (_, index) => shape(index));
    }
    default:
      throw new Error(`Cannot make values of kind "${kind}": it must be one of ${Object.keys(KINDS).join(", ")}`);
  }
}

/** Makers of objects with keys of their own each, about 500 bytes; deep ones have objects, lists and optional keys. */
function makeShapes(random, count, { isDeep }) {
  const { below, chance, pick } = random;
  return Array.from({ length: count }, () => {
    const keys = names(random, isDeep ? 4 + below(11) : 14 + below(8));
    const makers = keys.map(() => {
      if (isDeep && chance(0.15)) {
        const inner = names(random, 2 + below(4));
        return () => objectOf(inner, () => field(random));
      }
      if (isDeep && chance(0.12)) {
        const inner = names(random, 2 + below(3));
        return () => Array.from({ length: 1 + below(3) }, () => objectOf(inner, () => field(random)));
      }
      if (isDeep && chance(0.1)) return () => Array.from({ length: 1 + below(5) }, () => field(random));
      const kind = pick(FIELDS);
      return () => kind(random);
    });
    const optional = keys.map(() => isDeep && chance(0.15));
    return (index) => {
      const object = { id: index };
      keys.forEach((key, at) => {
        if (!optional[at] || chance(0.5)) object[key] = makers[at]();
      });
      return object;
    };
  });
}

const ASCII = "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa"
  .split(" ");
const OTHER = "größe straße über naïve café ärger 東京 大阪 Москва привет ελλάδα żółw ünïcode señor 🚀🛰 ok plain".split(
  " ",
);

const FIELDS = [
  (random) => text(random, ASCII, 4 + random.below(28)),
  (random) => text(random, ASCII, 4 + random.below(28)),
  (random) => text(random, random.chance(0.25) ? OTHER : ASCII, 4 + random.below(36)),
  (random) => number(random),
  (random) => random.below(1e5),
  (random) => random.chance(0.5),
  (random) => random.chance(0.3) ? null : new Date(1.6e12 + random.below(1e9)).toISOString(),
];

function field(random) {
  return random.pick(FIELDS)(random);
}

function number(random) {
  const kind = random.below(4);
  if (kind === 0) return random.below(200);
  if (kind === 1) return random.below(1e9) - 5e8;
  if (kind === 2) return Math.round(random.unit() * 1e5) / 100;
  return random.unit();
}

function text({ pick }, words, length) {
  const parts = [];
  for (let left = length; left > 0; left -= parts.at(-1).length + 1) parts.push(pick(words));
  // No half of a character of two.
  return parts.join(" ").slice(0, length).replace(/[\ud800-\udbff]$/, "-");
}

function names({ pick, below }, count) {
  const names = new Set();
  while (names.size < count) {
    names.add(`${pick(ASCII)}${below(2) === 0 ? "_" : ""}${pick(ASCII).slice(0, 2 + below(4))}`);
  }
  return [...names];
}

function objectOf(keys, valueOf) {
  const object = {};
  for (const key of keys) object[key] = valueOf(key);
  return object;
}

/** Mulberry32, seeded by the characters of `seed`. */
function randomOf(seed) {
  let state = 2166136261;
  for (const character of seed) state = Math.imul(state ^ character.codePointAt(0), 16777619);
  const unit = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit) => Math.floor(unit() * limit);
  return { unit, below, pick: (list) => list[below(list.length)], chance: (part) => unit() < part };
}
