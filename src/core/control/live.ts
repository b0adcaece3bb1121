import type { Channel, Runtime } from "../../runtime/runtime.ts";

/** A connection that takes longer is held up by a listener that is there. */
const CONNECT_MS = 5_000;

/** Whether a process listens at `path`. One too busy to answer is live, too. */
export async function isLive(runtime: Runtime, path: string): Promise<boolean> {
  let clear = () => {};
  const held = new Promise<void>((resolve) => clear = runtime.clock.timer(CONNECT_MS, resolve));
  try {
    await Promise.race([runtime.connect(path).then(leave), held]);
    return true;
  } catch (error) {
    const code = codeOf(error);
    return code !== "ENOENT" && code !== "ECONNREFUSED" && code !== "ENOTSOCK";
  } finally {
    clear();
  }
}

function leave(channel: Channel): void {
  channel.open({ data: () => {}, drained: () => {}, closed: () => {} });
  channel.close();
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
