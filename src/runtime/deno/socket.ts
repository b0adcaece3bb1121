import { DenoChannel } from "./channel.ts";
import type { DenoConn, DenoNamespace } from "./namespace.ts";

declare const Deno: DenoNamespace;

const BUFFER_BYTES = 256 * 1024;
const LINGER_MS = 1_000;

/** A channel over a unix socket. */
export function socketChannel(conn: DenoConn): DenoChannel {
  const buffer = new Uint8Array(BUFFER_BYTES);
  return new DenoChannel({
    async next() {
      const length = await conn.read(buffer);
      return length === null ? null : buffer.subarray(0, length);
    },
    close: () => closeQuietly(conn),
  }, {
    write: (bytes) => conn.write(bytes),
    end: () => conn.closeWrite(),
    close: () => closeQuietly(conn),
    lingerMs: LINGER_MS,
  });
}

export async function connect(path: string): Promise<DenoChannel> {
  return socketChannel(await Deno.connect({ transport: "unix", path }));
}

/** The child's side of the channel that its father listens for. */
export async function connectToParent(address: string): Promise<DenoChannel> {
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
