/**
 * The last belt against orphans: a small shell that outlives a killed broker just long enough to kill its processes. It reads the
 * process groups to kill from a pipe, and the end of that pipe is the end of the broker, however it came.
 *
 * @module
 */

import type { CommandProcess, Runtime } from "../../runtime/runtime.ts";

/** `+ PID` adds a group, `- PID` takes it out; at end of input each group that is left is killed. */
const SCRIPT = `
trap '' HUP INT TERM
groups=
while read -r sign pid; do
  kept=
  for group in $groups; do [ "$group" = "$pid" ] || kept="$kept $group"; done
  groups=$kept
  [ "$sign" = + ] && groups="$groups $pid"
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

export class Guard {
  readonly #runtime: Runtime;
  readonly #groups = new Set<number>();
  #shell: CommandProcess | undefined;
  #starting: Promise<void> | undefined;
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Settles when the guard watches; from then on everything added dies with this process. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  add(group: number): void {
    this.#groups.add(group);
    this.#tell(`+ ${group}\n`);
  }

  remove(group: number): void {
    if (this.#groups.delete(group)) this.#tell(`- ${group}\n`);
  }

  /** Ends the guard; groups that are still in it are killed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting;
    this.#shell?.channel.close();
    await this.#shell?.exited;
  }

  async #start(): Promise<void> {
    const path = this.#runtime.env.get("PATH");
    const shell = await this.#runtime.spawnCommand(["/bin/sh", "-c", SCRIPT], {
      env: path === undefined ? {} : { PATH: path },
      group: true,
    });
    this.#shell = shell;
    shell.channel.open({ data: () => {}, drained: () => {}, closed: () => {} });
    for (const group of this.#groups) this.#tell(`+ ${group}\n`);
    void shell.exited.then(() => this.#again(shell));
  }

  /** Someone killed the guard: there must be another one. */
  async #again(shell: CommandProcess): Promise<void> {
    if (this.#closed || this.#shell !== shell) return;
    this.#shell = undefined;
    this.#starting = this.#start();
    await this.#starting;
  }

  #tell(line: string): void {
    this.#shell?.channel.write(new TextEncoder().encode(line));
  }
}
