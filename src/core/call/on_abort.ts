/**
 * One listener for each signal, however many calls it cancels: Node warns of more than ten as of a leak.
 *
 * @module
 */

interface Listening {
  readonly cancels: Set<() => void>;
  readonly end: () => void;
}

const listening = new WeakMap<AbortSignal, Listening>();

/** Runs `cancel` when `signal` is aborted. Returns the function that ends this. */
export function onAbort(signal: AbortSignal, cancel: () => void): () => void {
  const { cancels, end } = listening.get(signal) ?? listen(signal);
  cancels.add(cancel);
  return () => {
    if (cancels.delete(cancel) && cancels.size === 0) end();
  };
}

function listen(signal: AbortSignal): Listening {
  const cancels = new Set<() => void>();
  const aborted = () => {
    // One that is cancelled may end others, which are not to be cancelled any more.
    for (const cancel of cancels) if (cancels.delete(cancel)) cancel();
    end();
  };
  const end = () => {
    listening.delete(signal);
    try {
      signal.removeEventListener("abort", aborted);
    } catch {
      // A signal of the program's own make that keeps its listener tells it in vain; the call that ends is not to wait for it.
    }
  };
  const made = { cancels, end };
  signal.addEventListener("abort", aborted);
  listening.set(signal, made);
  return made;
}
