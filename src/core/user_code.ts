/** Calls a function of the user. */
export function applyUser(
  fn: Parameters<typeof Reflect.apply>[0],
  self: unknown,
  params: readonly unknown[],
): unknown {
  try {
    return Reflect.apply(fn, self, params);
  } catch (error) {
    // The engine of Bun leaves out the frame of a function whose last act is a call, unless it may catch.
    throw error;
  }
}
