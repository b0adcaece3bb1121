import fc from "fast-check";

/** Texts of all kinds of characters, lone surrogates among them. */
const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", "é", "中", "🙂", "\u2028", "\0", "\ud800", "\udc00", " ") }),
);

/**
 * None begins with a backslash: once the `JSON.parse` of V8 15 (Deno 2.9) has seen the key `\u`, it takes the key `"\u0001x"` at
 * the same place of a later object for it.
 */
const keys = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "length", "0", "toString", "toJSON", "then"),
  texts.filter((text) => !text.startsWith("\\")),
);

const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value === 0 ? 0 : value),
);

const bytes = fc.uint8Array({ maxLength: 40 });

const plain = [fc.constant(null), fc.boolean(), numbers, texts, bytes];
/** What JSON has no word for, and changes. */
const changed = [
  fc.constantFrom(undefined, -0, NaN, Infinity, -Infinity),
  fc.double(),
  fc.date({ noInvalidDate: true }),
];
const bigInts = [fc.bigInt(), fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n })];

/** What every codec carries as it is. */
export const plainValues = nested(fc.oneof(...plain));

/** What JSON carries as it is, or as `docs/wire-protocol.md` says. */
export const jsonValues = nested(fc.oneof(...plain, ...changed));

/** What the rich codec carries as it is. */
export const richValues = nested(fc.oneof(...plain, ...changed, ...bigInts));

function nested(leaves: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown; list: unknown; object: unknown; rows: unknown }>((tie) => ({
    value: fc.oneof({ maxDepth: 5, withCrossShrink: true }, leaves, tie("list"), tie("object"), tie("rows")),
    list: fc.array(tie("value"), { maxLength: 5 }),
    object: fc.array(fc.tuple(keys, tie("value")), { maxLength: 6 }).map(objectOf),
    // Objects of one shape, as tables have them.
    rows: fc.tuple(fc.array(keys, { maxLength: 5 }), fc.array(fc.array(leaves, { maxLength: 5 }), { maxLength: 4 }))
      .map(([names, rows]) => rows.map((row) => objectOf(names.map((name, index) => [name, row[index] ?? null])))),
  }));
  return value;
}

/** `__proto__` is a key like others. A `toJSON` that is no function is one too. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}
