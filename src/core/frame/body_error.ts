/** A frame's body can't be understood; the frame is refused. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}
