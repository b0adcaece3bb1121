/**
 * Extension types of MessagePack that brokkr writes and reads beside the published ones.
 *
 * @module
 */

/** The published one, always of 96 bits. */
export const TIMESTAMP = 0xff;
/** undefined, as `msgpackr` writes it. */
export const UNDEFINED = 0x00;
/** A BigInt of more than 64 bits, as decimal text. */
export const BIGINT = 0x49;
/** A text with half a surrogate pair, which UTF-8 can't carry: its UTF-16 units, big end first. */
export const TEXT16 = 0x55;

export const LONE_SURROGATE = /\p{Surrogate}/u;
