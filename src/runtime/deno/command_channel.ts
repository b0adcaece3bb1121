import { DenoChannel } from "./channel.ts";
import type { DenoChild } from "./namespace.ts";

/** Standard input and output of a process as one channel. */
export function commandChannel(child: DenoChild): DenoChannel {
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  return new DenoChannel({
    async next() {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
    close: () => void reader.cancel().catch(() => {}),
  }, {
    async write(bytes) {
      await writer.write(bytes);
      return bytes.length;
    },
    end: () => writer.close(),
    close: () => void writer.abort().catch(() => {}),
  });
}
