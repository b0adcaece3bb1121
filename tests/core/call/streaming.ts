import type { CallContext } from "../../../src/core/module/definition.ts";
import { Conversation } from "./conversation.ts";

/** A command that yields 1, 2, 3 … `count`, and what became of it. */
export function counting() {
  const seen = { yielded: 0, ended: 0, aborted: false };
  return {
    seen,
    commands: {
      async *count(this: CallContext, count: number) {
        this.signal.addEventListener("abort", () => seen.aborted = true);
        try {
          for (let number = 1; number <= count; number++) {
            seen.yielded = number;
            yield number;
          }
          return "all";
        } finally {
          seen.ended++;
        }
      },
      plain: () => 7,
      list: () => [1, 2],
    },
  };
}

/** What a stream gives until its end, and its end. */
export async function drain(stream: AsyncIterator<unknown>): Promise<{ items: unknown[]; end: unknown }> {
  const items: unknown[] = [];
  for (;;) {
    const step = await stream.next();
    if (step.done === true) return { items, end: step.value };
    items.push(step.value);
  }
}

/** The same while the clock goes on, since parts of an answer leave when the event loop turns. */
export async function drained(c: Conversation, stream: AsyncIterator<unknown>) {
  const all = drain(stream);
  for (let turn = 0; turn < 50; turn++) await c.clock.advance(0);
  return await all;
}
