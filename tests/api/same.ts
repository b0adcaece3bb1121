/** How the tests of types say that two types are one. */

export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles only for `true`. */
export function same<T extends true>(value?: T): void {
  void value;
}
