/** `brokkr service`: prints a systemd unit that runs the broker of a configuration. */

import { dirname, resolve } from "node:path";
import { userInfo } from "node:os";
import { supervisionPlan } from "../core/settings/settings.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ArgsOf } from "./commands.ts";
import { nearestConfig } from "./config/config_file.ts";
import { type Config, readConfig } from "./config/read_config.ts";
import { print } from "./output.ts";
import { ownProgram } from "./own_program.ts";

export async function service(runtime: Runtime, args: ArgsOf<"service">): Promise<void> {
  const { file = nearestConfig("write a unit"), user } = args;
  await print(unitOf(runtime, await readConfig(file, runtime), { file: resolve(file), user }));
}

/** What the broker itself takes to end, beside its modules. */
const OWN_END_MS = 5_000;

function unitOf(
  runtime: Runtime,
  { broker: { name }, modules }: Config,
  { file, user }: { readonly file: string; readonly user: boolean },
): string {
  // Modules end one after the other.
  const plans = modules.map(({ settings }) => supervisionPlan(settings));
  const endMs = plans.reduce((sum, { drainMs, killMs }) => sum + drainMs + killMs, OWN_END_MS);
  const place = user ? `~/.config/systemd/user/${name}.service` : `/etc/systemd/system/${name}.service`;
  const variables = user ? `%h/.config/${name}.env` : `/etc/${name}.env`;
  const systemctl = user ? "systemctl --user" : "systemctl";
  const account = userInfo();
  const words = [...ownProgram(runtime), "run", file].map(unitWord).join(" ");
  return `${
    [
      `# ${place}; then: ${systemctl} daemon-reload && ${systemctl} enable --now ${name}`,
      "[Unit]",
      `Description=brokkr ${name}`,
      "After=network.target",
      "",
      "[Service]",
      `ExecStart=${words}`,
      "ExecReload=/bin/kill -HUP $MAINPID",
      `WorkingDirectory=${dirname(file).replaceAll("%", "%%")}`,
      ...user || account.uid === 0 ? [] : [`User=${account.username}`],
      "Restart=on-failure",
      "# Variables that the modules need, such as passwords: NAME=value, one per line, in a file that nobody else can read.",
      `EnvironmentFile=-${variables}`,
      "# Modules drain on SIGTERM; brokkr kills those that do not.",
      "KillMode=mixed",
      "# The time that all modules may take to drain, one after the other.",
      `TimeoutStopSec=${Math.ceil(endMs / 1_000)}`,
      ...user ? [] : [
        "# The folder of the control socket, which nobody else can enter.",
        "RuntimeDirectory=brokkr",
        "RuntimeDirectoryMode=0700",
        "RuntimeDirectoryPreserve=yes",
        "Environment=XDG_RUNTIME_DIR=/run/brokkr",
      ],
      "",
      "[Install]",
      `WantedBy=${user ? "default" : "multi-user"}.target`,
    ].join("\n")
  }\n`;
}

/** A word of a command in a unit, where `%` and `$` have a meaning of their own. */
function unitWord(word: string): string {
  const text = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `"${text}"`;
}
