import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { descriptorChannel } from "./channel.ts";
import { childEnvironment, childFlags } from "./flags.ts";
import type { BunNamespace } from "./namespace.ts";
import { ADDRESS, CHILD_FD } from "./parent.ts";
import { startProcess } from "./process.ts";
import { isBinary } from "./self.ts";
import { process } from "../node/global.ts";
import { programPath } from "../node/program.ts";
import { fromOrigin } from "../posix/origin.ts";
import type { ProgramProcess, SpawnProgramOptions } from "../runtime.ts";

declare const Bun: BunNamespace;

/** Bun knows its program by the real path only. Behind a link, such as `current`, the name leads to another release after a switch. */
const NAMED = namedProgram();

function namedProgram(): string {
  try {
    const commandLine = readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(0, -1);
    const name = fromOrigin(commandLine[commandLine.length - process.argv.length + 1] ?? "");
    // The ending may have been left out.
    const names = [name, join(dirname(name), basename(Bun.main))];
    return names.find((path) => existsSync(path) && realpathSync(path) === Bun.main) ?? Bun.main;
  } catch {
    // Not Linux.
    return Bun.main;
  }
}

/** Creates a process of the same program, whose side of the channel is in `bun_parent.ts`. */
export async function spawnProgram(options: SpawnProgramOptions): Promise<ProgramProcess> {
  const [what, ...command] = programCommand(options.program);
  const { child, ...started } = startProcess([process.execPath, ...command, ...process.argv.slice(2)], {
    ...options,
    env: childEnvironment(options.env(ADDRESS)),
    what: `program "${what}"`,
    stdin: "ignore",
    streams: ["stdout", "stderr"],
    more: ["pipe"],
  });
  const fd = child.stdio[CHILD_FD];
  if (typeof fd !== "number") {
    throw new Error(`Cannot open the channel to process ${child.pid}: Bun made none for it, report this as a fault`);
  }
  const channel = await descriptorChannel(fd);
  void started.exited.then(() => channel.otherSideGone());
  return { ...started, channel: Promise.resolve(channel) };
}

/** Its name for messages, then what follows the executable; a compiled binary has its program inside. */
function programCommand(given: string | undefined): string[] {
  if (isBinary()) return [process.execPath];
  const program = given === undefined ? realpathSync(NAMED) : programPath(given);
  return [program, ...childFlags(process.execArgv, process.env["BUN_OPTIONS"]), program];
}
