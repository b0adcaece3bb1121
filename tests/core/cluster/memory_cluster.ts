// Brokers of a cluster whose processes, server and clock are all in this process.
import type { ClusterSettings } from "../../../src/core/settings/settings.ts";
import type { AnyModule } from "../../../src/core/module/program.ts";
import { MemoryTree, type MemoryTreeOptions } from "../broker/memory_tree.ts";
import { ManualClock } from "../manual_clock.ts";
import { FakeClient, FakeServer } from "./fake_server.ts";

export interface NodeOptions extends Partial<ClusterSettings> {
  /** Name of the broker. @default "broker-" and the node's name */
  readonly broker?: string;
  readonly modules?: readonly AnyModule[];
  readonly denies?: (subject: string) => boolean;
  readonly tree?: MemoryTreeOptions;
}

export interface MemoryNode {
  readonly tree: MemoryTree;
  readonly client: FakeClient;
}

export class MemoryCluster {
  readonly clock = new ManualClock();
  readonly server = new FakeServer(this.clock);
  readonly #trees: MemoryTree[] = [];

  /** A broker that has not started. */
  node(node: string, options: NodeOptions = {}): MemoryNode {
    const { broker = `broker-${node}`, modules = [], denies, tree: more = {}, ...settings } = options;
    const client = this.server.connection(denies === undefined ? {} : { denies });
    const cluster = {
      settings: { servers: ["nats://fake:4222"], name: "prod", node, ...settings },
      prepare: () => Promise.resolve("host"),
      connect: client.connect,
    };
    const tree = new MemoryTree(modules, { name: broker, clock: this.clock, cluster, ...more });
    this.#trees.push(tree);
    return { tree, client };
  }

  /** The same, started. */
  async up(node: string, options: NodeOptions = {}): Promise<MemoryNode> {
    const made = this.node(node, options);
    await this.ends(made.tree.core.start());
    return made;
  }

  /** Time passes, step by step, so that what a runtime loads by itself has its turn. */
  async pass(ms: number): Promise<void> {
    const step = Math.max(10, ms / 40);
    for (let left = ms; left > 0; left -= step) {
      await this.clock.advance(Math.min(step, left));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await this.clock.advance(0);
  }

  /** Waits for `work`, for up to a minute of the clock. */
  async ends<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => isOver = true);
    over.catch(() => {});
    for (let turn = 0; turn < 6_000 && !isOver; turn++) await this.pass(10);
    if (!isOver) throw new Error("it does not end in a minute of the clock");
    return await over;
  }

  async down(): Promise<void> {
    for (const tree of this.#trees) await this.ends(tree.core.stop());
  }
}
