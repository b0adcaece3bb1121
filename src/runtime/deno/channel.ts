import type { TcpPlace } from "../posix/answers.ts";
import { PullChannel } from "../posix/channel.ts";
import type { DenoConn, DenoNamespace } from "./namespace.ts";

declare const Deno: DenoNamespace;

const BUFFER_BYTES = 256 * 1024;
const LINGER_MS = 1_000;

export function socketChannel(conn: DenoConn): PullChannel {
  const buffer = new Uint8Array(BUFFER_BYTES);
  return new PullChannel({
    memory: buffer,
    read: () => conn.read(buffer),
    close: () => closeQuietly(conn),
  }, {
    write: (bytes) => conn.write(bytes),
    end: () => conn.closeWrite(),
    close: () => closeQuietly(conn),
    lingerMs: LINGER_MS,
  });
}

export async function connect(path: string): Promise<PullChannel> {
  return socketChannel(await Deno.connect({ transport: "unix", path }));
}

/** Whether a TCP connection is accepted before `late`. */
export async function connects({ hostname, port }: TcpPlace, late: AbortSignal): Promise<boolean> {
  const isLate = new Promise<false>((resolve) => late.addEventListener("abort", () => resolve(false)));
  const isAccepted = Deno.connect({ transport: "tcp", hostname, port }).then((conn) => {
    conn.close();
    return true;
  }, () => false);
  return await Promise.race([isAccepted, isLate]);
}

/** The child's side of the channel that the parent process listens for. */
export async function connectToParent(address: string): Promise<PullChannel> {
  if (!address.startsWith("unix:")) {
    throw new Error(
      `Cannot open the channel to the broker: address "${address}" is not a "unix:" one, start with the same runtime`,
    );
  }
  return await connect(address.slice("unix:".length));
}

function closeQuietly(conn: DenoConn): void {
  try {
    conn.close();
  } catch {
    // Closed before.
  }
}
