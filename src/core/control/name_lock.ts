/**
 * The name of a broker: its control socket belongs to one live broker at a time, and brokers that start at once take their names one
 * after the other.
 */

import type { Channel, Listener, Runtime } from "../../runtime/runtime.ts";
import { sleep } from "../duration.ts";

/** Beside the folder of the control sockets, so that no lock is taken for a broker. */
const LOCK_FOLDER = "brokkr-turns";
/** The lock is held for milliseconds: a process that has not got it after this time never will. */
const LOCK_MS = 10_000;
const PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;
/** Of a name's characters: paths of sockets are short, and two names that share a lock only wait for each other. */
const NAME_LENGTH = 8;

/** A connection that takes longer than this is held up by a live listener. */
const CONNECT_MS = 5_000;

export class ControlSocketError extends Error {
  override readonly name: string = "ControlSocketError";
}

export class NameTakenError extends ControlSocketError {
  override readonly name = "NameTakenError";
  readonly broker: string;

  constructor(broker: string) {
    super(
      `Cannot start broker "${broker}": a broker of this name runs already, ` +
        `stop it with "brokkr stop --broker ${broker}" or give this one another name`,
    );
    this.broker = broker;
  }
}

/** Listens at `path`. Replaces a dead broker's socket, never a live one's. @throws {NameTakenError} @throws {ControlSocketError} */
export async function bindSocket(
  runtime: Runtime,
  { broker, path, accept }: { broker: string; path: string; accept: (channel: Channel) => void },
): Promise<Listener> {
  // Without the lock, another broker could bind the name between the check and the replacement, and lose it to this one.
  return await withNameLock(runtime, broker, async () => {
    if (await isLive(runtime, path)) throw new NameTakenError(broker);
    (await runtime.files()).remove(path);
    return await runtime.listen(path, accept);
  });
}

/**
 * Runs `act` while no other process runs one for the same broker. A process bids by listening on a socket of its own, and then looks
 * for other bids. Where there are none it holds the lock, since every later bidder sees this bid. Else all but one withdraw and bid
 * again. Nobody listens on the socket of a dead process, and its name is never used again.
 *
 * @throws {ControlSocketError} where another process holds the lock for too long.
 */
async function withNameLock<T>(runtime: Runtime, broker: string, act: () => Promise<T>): Promise<T> {
  const { clock } = runtime;
  const deadline = clock.now() + LOCK_MS;
  for (let tries = 0;; tries++) {
    const bid = await placeBid(runtime, broker);
    try {
      let others = await bid.others();
      // The first bid by name stays, so that one of the waiting processes is next.
      while (others.length > 0 && others.every((other) => bid.file < other) && clock.now() < deadline) {
        await sleep(clock, PAUSE_MS);
        others = await bid.others();
      }
      if (others.length === 0 && bid.isPlaced()) return await act();
      if (clock.now() >= deadline) throw tooLong(broker, others[0] ?? bid.file);
    } finally {
      bid.withdraw();
    }
    await sleep(clock, Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** tries) * (0.5 + runtime.random()));
  }
}

async function placeBid(runtime: Runtime, broker: string) {
  const { pid } = runtime;
  const files = await runtime.files();
  const folder = files.folder(LOCK_FOLDER);
  const start = `${broker.slice(0, NAME_LENGTH)}~`;
  const file = `${start}${pid.toString(36)}~${Math.floor(runtime.random() * 36 ** 4).toString(36)}`;
  const listener = await runtime.listen(`${folder}/${file}`, leave);
  return {
    file,
    isPlaced: () => files.list(folder).includes(file),
    withdraw: () => listener.close(),
    async others(): Promise<string[]> {
      const live: string[] = [];
      for (const other of files.list(folder)) {
        if (other === file || !other.startsWith(start)) continue;
        if (await isLive(runtime, `${folder}/${other}`)) live.push(other);
        else files.remove(`${folder}/${other}`);
      }
      return live;
    },
  };
}

function tooLong(broker: string, other: string): ControlSocketError {
  const pid = parseInt(other.split("~")[1] ?? "", 36);
  return new ControlSocketError(
    `Cannot start broker "${broker}": process ${pid} has been starting one for ${LOCK_MS / 1_000} s, ` +
      `end it and start again`,
  );
}

/** Whether a process listens at `path`. A process that is too busy to answer is live, too. */
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
