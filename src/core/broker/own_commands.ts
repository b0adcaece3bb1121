/** The broker's own commands, by the broker's name: from its modules, from the program, and by its control socket. */

import type { Runtime } from "../../runtime/runtime.ts";
import { type CallClient, newClient } from "../call/client.ts";
import { type LocalPeer, localPeer } from "../call/local.ts";
import type { RunningCall } from "../call/server.ts";
import { goneFault, UnknownCommandError } from "../faults.ts";
import type { ReceivedCall } from "../wire/columns.ts";
import type { Reporter } from "../log/reporter.ts";
import type { Handler } from "../module/definition.ts";
import { closestMatch } from "../checks.ts";

export interface OwnCommandsOptions {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly broker: string;
  readonly commands: ReadonlyMap<string, Handler>;
}

const BROKER_STOPPED = goneFault("the broker has stopped");

export class OwnCommands {
  readonly #options: OwnCommandsOptions;
  #caller: CallClient | undefined;
  #peer: LocalPeer | undefined;
  #isClosed = false;

  constructor(options: OwnCommandsOptions) {
    this.#options = options;
  }

  /** Makes the calls of this process: they go over a channel like any other, so that they can end in the same ways only. */
  get caller(): CallClient {
    this.#caller ??= this.#connect();
    return this.#caller;
  }

  async run({ command, params }: ReceivedCall, context: RunningCall): Promise<unknown> {
    const { broker, commands, reporter } = this.#options;
    const handler = commands.get(command);
    if (handler === undefined) {
      reporter.report("command.unknown", { command }, { module: context.caller });
      throw new UnknownCommandError({ target: broker, command }, { nearest: closestMatch(command, commands.keys()) });
    }
    return await Reflect.apply(handler, context, params);
  }

  /** The broker has stopped: what runs is aborted, and its calls, and those that are still made, are rejected. */
  close(): void {
    this.#isClosed = true;
    this.#peer?.close();
    this.#caller?.refuse(BROKER_STOPPED);
  }

  #connect(): CallClient {
    const { runtime, reporter, broker, commands } = this.#options;
    const { clock, ownFiles } = runtime;
    const caller = newClient(runtime, { reporter, module: broker });
    if (this.#isClosed) {
      caller.refuse(BROKER_STOPPED);
      return caller;
    }
    this.#peer = localPeer({
      clock,
      caller,
      ownFiles,
      reporter,
      service: { commands },
      module: broker,
      peer: broker,
    });
    caller.connect(this.#peer.link);
    return caller;
  }
}
