/** Finding the broker that a command is for. */

import { ControlClient, ControlLostError, findBrokers } from "../core/control/client.ts";
import type { Asked } from "../core/control/question.ts";
import { CONTROL_FOLDER, socketPath } from "../core/control/socket_name.ts";
import { checkName } from "../core/settings/table.ts";
import { closestMatch } from "../core/checks.ts";
import { UnknownModuleError } from "../core/faults.ts";
import { messageOf } from "../core/user_code.ts";
import { failureCode } from "../runtime/posix/failure_reason.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { asUsage, CliError, ExitCode, NoBrokerError } from "./exit_codes.ts";

/** What a command may need beside its arguments. */
export interface Context {
  /** How many brokers this process is below. */
  readonly depth: number;
  /** The first question of the command, where it was asked before. */
  readonly asked: Asked | undefined;
}

/** Connects to the broker of that name, else to the only one that runs, for as long as `ask` takes. */
export async function askBroker<T>(
  runtime: Runtime,
  broker: string | undefined,
  ask: (client: ControlClient) => Promise<T>,
  asked?: Asked,
): Promise<T> {
  const client = asked === undefined ? await connect(runtime, broker) : ControlClient.asked(runtime, asked);
  try {
    return await ask(client);
  } catch (error) {
    if (error instanceof ControlLostError) throw new NoBrokerError(`${error.message}, see its log`, { cause: error });
    throw error;
  } finally {
    client.close();
  }
}

/** One that was started with other variables, as by systemd or cron, has its socket elsewhere. */
async function none(runtime: Runtime): Promise<string> {
  const folder = (await runtime.files()).folder(CONTROL_FOLDER);
  return `you have none running with its socket in "${folder}", start one with "brokkr run", set "control" to true in ` +
    "Broker.start of your program, or set XDG_RUNTIME_DIR here as it is where the broker runs";
}

async function connect(runtime: Runtime, given: string | undefined): Promise<ControlClient> {
  const { name, path } = given === undefined ? await onlyBroker(runtime) : await placeOf(runtime, given);
  try {
    return await ControlClient.connect(runtime, name, path);
  } catch (cause) {
    const code = failureCode(cause);
    if (code === "ENOENT" || code === "ECONNREFUSED") throw await noneOfThatName(runtime, name, cause);
    throw new NoBrokerError(`Cannot reach broker "${name}" at "${path}": ${messageOf(cause)}`, { cause });
  }
}

async function onlyBroker(runtime: Runtime): Promise<{ name: string; path: string }> {
  // The folder of the sockets may be one that another user could have written to.
  const brokers = await findBrokers(runtime).catch((error) => Promise.reject(asUsage(error)));
  const [first] = brokers;
  if (first === undefined) {
    throw new NoBrokerError(`Cannot reach a broker: ${await none(runtime)}`);
  }
  if (brokers.length === 1) return first;
  const names = brokers.map((broker) => broker.name).join(", ");
  throw new CliError(`Cannot choose a broker: ${brokers.length} run (${names}), name one with --broker`);
}

async function placeOf(runtime: Runtime, given: string): Promise<{ name: string; path: string }> {
  try {
    const name = checkName("--broker", given);
    return { name, path: socketPath((await runtime.files()).folder(CONTROL_FOLDER), name) };
  } catch (error) {
    throw asUsage(error);
  }
}

async function noneOfThatName(runtime: Runtime, name: string, cause: unknown): Promise<NoBrokerError> {
  const names = (await findBrokers(runtime)).map((broker) => broker.name);
  const similar = closestMatch(name, names);
  const why = names.length === 0
    ? await none(runtime)
    : `no broker of this name runs, ${similar === null ? `only ${names.join(", ")}` : `did you mean "${similar}"`}`;
  return new NoBrokerError(`Cannot reach broker "${name}": ${why}`, { cause });
}

/** Turns the error of an unknown name into one that names the action. */
export function unknownName(action: string, error: unknown): never {
  if (!(error instanceof UnknownModuleError)) throw error;
  const hint = error.nearest === null ? 'see the names with "brokkr status"' : `did you mean "${error.nearest}"`;
  const message = `Cannot ${action} "${error.target}": the broker has nothing of that name, ${hint}`;
  throw new CliError(message, { cause: error, exitCode: ExitCode.unknown });
}
