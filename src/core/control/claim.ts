/**
 * Taking the name of a broker: its control socket belongs to one live broker at a time.
 *
 * @module
 */

import type { Channel, Listener, Runtime } from "../../runtime/runtime.ts";

/** The control socket can't be opened. */
export class ControlSocketError extends Error {
  override readonly name: string = "ControlSocketError";
}

/** A live broker has the name already. */
export class NameTakenError extends ControlSocketError {
  override readonly name = "NameTakenError";
  /** Name of the broker. */
  readonly broker: string;

  constructor(broker: string) {
    super(
      `Cannot start broker "${broker}": a broker of this name runs already, ` +
        `stop it with "brokkr stop --broker ${broker}" or give this one another name`,
    );
    this.broker = broker;
  }
}

/** How often a dead socket that comes back is replaced: each time another broker began and ended meanwhile. */
const MAX_ROUNDS = 5;

/** Listens at `path`. A dead broker's socket is replaced, a live one's never. @throws {NameTakenError} */
export async function claim(
  runtime: Runtime,
  { broker, path, accept }: { broker: string; path: string; accept: (channel: Channel) => void },
): Promise<Listener> {
  for (let round = 1;; round++) {
    if (await isLive(runtime, path)) throw new NameTakenError(broker);
    await removeDead(runtime, { broker, path });
    try {
      return await runtime.listen(path, accept);
    } catch (error) {
      // Whoever listens there now was faster.
      if (round === MAX_ROUNDS) throw error;
      if (!await isLive(runtime, path) && !isThere(runtime, path)) throw error;
    }
  }
}

/** Whether a process listens at `path`. One too busy to answer is as live as any. */
export async function isLive(runtime: Runtime, path: string): Promise<boolean> {
  try {
    const channel = await runtime.connect(path);
    channel.open({ data: () => {}, drained: () => {}, closed: () => {} });
    channel.close();
    return true;
  } catch (error) {
    const code = codeOf(error);
    return code !== "ENOENT" && code !== "ECONNREFUSED" && code !== "ENOTSOCK";
  }
}

/**
 * Another broker may take the name between the look at the socket and its removal. So it is moved aside, which one process only
 * can do, and looked at again there.
 */
async function removeDead(runtime: Runtime, { broker, path }: { broker: string; path: string }): Promise<void> {
  const { files, pid } = runtime;
  const aside = `${path.slice(0, path.lastIndexOf("/"))}/.dead.${pid.toString(36)}`;
  try {
    files.rename(path, aside);
  } catch {
    return;
  }
  const live = await isLive(runtime, aside);
  try {
    if (live) files.link(aside, path);
  } finally {
    files.remove(aside);
  }
  if (live) throw new NameTakenError(broker);
}

function isThere({ files }: Runtime, path: string): boolean {
  const at = path.lastIndexOf("/");
  return files.list(path.slice(0, at)).includes(path.slice(at + 1));
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
