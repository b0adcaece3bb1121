import { messageOf } from "../thrown.ts";

/** A frame's body can't be understood; the frame is refused. Nothing else that is thrown while it is handled is the peer's fault. */
export class BodyError extends Error {
  override readonly name: string = "BodyError";
}

/**
 * What was thrown while a body was read. No code of the program runs meanwhile, so all of it is the body's: an engine's own limits,
 * a path that leads nowhere, a file that can't be read.
 */
export function asBodyError(error: unknown): BodyError {
  return error instanceof BodyError ? error : new BodyError(messageOf(error));
}
