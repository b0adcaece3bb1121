/** How long standard error may take nothing before the rest of a text is given up. */
const PATIENCE_MS = 1_000;
const PAUSE_MS = 1;

/** Writes all of `text` through `write`, which takes some of the bytes or throws where the pipe is full. Never throws. */
export function writeWhole(text: string, write: (bytes: Uint8Array) => number): void {
  let bytes = new TextEncoder().encode(text);
  let patience = PATIENCE_MS;
  while (bytes.length > 0 && patience > 0) {
    const written = attempt(bytes, write);
    if (written < 0) return;
    if (written === 0) patience -= pause();
    else patience = PATIENCE_MS;
    bytes = bytes.subarray(written);
  }
}

/** Negative where nobody will ever read. */
function attempt(bytes: Uint8Array, write: (bytes: Uint8Array) => number): number {
  try {
    return write(bytes);
  } catch (error) {
    return isFull(error) ? 0 : -1;
  }
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "WouldBlock" || ("code" in error && error.code === "EAGAIN");
}

function pause(): number {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  return PAUSE_MS;
}
