/** Numbers from 0 to 1 that are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of `all`, each as likely as the next, in their order. */
export function sampleOf<Item>(all: readonly Item[], count: number, random: () => number): Item[] {
  const rest = all.map((item, at) => ({ item, at, draw: random() }));
  rest.sort((a, b) => a.draw - b.draw);
  return rest.slice(0, count).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
