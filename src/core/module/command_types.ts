/**
 * What the compiler knows of a module's commands.
 *
 * @module
 */

/** The commands of a module, as types. */
export type CommandsOf<M> = M extends { readonly "~types"?: { readonly commands: infer C } } ? C : never;

/** Parameters of a command, without its `this`. */
export type ParamsOf<H> = H extends (...params: infer P) => unknown ? P : never;

/** What a call of a command resolves with; never, where the command is a generator and has to be streamed. */
export type ResultOf<H> = H extends (...params: never[]) => infer R
  ? Awaited<R> extends AsyncGenerator | Generator ? never : Awaited<R>
  : never;

/** What a stream of a command yields. */
export type ItemOf<H> = H extends (...params: never[]) => infer R
  ? unknown extends R ? unknown : Awaited<R> extends AsyncIterable<infer T> | Iterable<infer T> ? T : never
  : never;
