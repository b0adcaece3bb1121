import { Connection, type ConnectionEvents, type Conventions } from "../../../src/core/program/connection.ts";
import { LSP_CONVENTIONS } from "../../../src/core/program/protocols.ts";
import type { Framing } from "../../../src/core/settings/settings.ts";
import { methodNotFound } from "../../../src/core/program/peer_requests.ts";
import { ManualClock, settle } from "../manual_clock.ts";
import { MemoryChannel } from "../memory_channel.ts";

export interface Setup {
  readonly framing?: Framing;
  readonly conventions?: Conventions;
  readonly request?: ConnectionEvents["request"];
}

/** A connection, and what its peer sees and says as text. */
export class Peer {
  readonly clock = new ManualClock();
  readonly connection: Connection;
  readonly channel: MemoryChannel;
  readonly near: MemoryChannel;
  readonly seen: string[] = [];
  readonly events: string[] = [];

  constructor({ framing = "newline", conventions = LSP_CONVENTIONS, request }: Setup = {}) {
    const [near, far] = MemoryChannel.pair();
    this.channel = far;
    this.near = near;
    this.connection = new Connection(near, {
      clock: this.clock,
      framing,
      conventions,
      events: {
        stray: (text, why) => this.events.push(`${why} ${text}`),
        dropped: (what) => this.events.push(`dropped ${what}`),
        notification: ({ method, params }) => this.events.push(`notified ${method} ${JSON.stringify(params)}`),
        request: request ?? ((method) => {
          throw methodNotFound(method);
        }),
        drained: () => this.events.push("drained"),
        closed: (reason) => this.events.push(`closed ${reason}`),
      },
    });
    far.open({
      data: (chunk) => this.seen.push(new TextDecoder().decode(chunk)),
      drained: () => {},
      closed: () => {},
    });
  }

  async says(text: string): Promise<void> {
    this.channel.write(new TextEncoder().encode(text));
    await settle();
  }

  /** What the peer saw since it was last asked. */
  async sees(): Promise<string[]> {
    await settle();
    return this.seen.splice(0);
  }
}
