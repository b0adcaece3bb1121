/** What a program that brokkr runs finds in its processes: the library under the name "brokkr", and which program it is. */

import process from "node:process";
import { fileURLToPath } from "node:url";
import type { NatsOptions } from "../../nats.ts";
import type { Runtime } from "../runtime/runtime.ts";

interface ModuleBuilder {
  module(name: string, load: () => { readonly exports: object; readonly loader: "object" }): void;
}

declare const Bun: { plugin(plugin: { readonly name: string; setup(build: ModuleBuilder): void }): void };

/** In the binary, `import "brokkr"` in a user's file means the library inside it, since there is no package. */
export async function offerLibrary(runtime: Runtime): Promise<void> {
  const isBinary = runtime.program === null;
  if (!isBinary || runtime.name !== "bun") return;
  // Loaded before it is asked for, as require() does not wait.
  const [library, nats, testing] = await Promise.all([
    import("../../mod.ts"),
    import("../../nats.ts"),
    import("../../testing.ts"),
  ]);
  const offered: Readonly<Record<string, object>> = {
    "brokkr": library,
    "brokkr/nats": { ...nats, nats: (options: NatsOptions) => nats.natsOf(options, natsClient) },
    "brokkr/testing": testing,
  };
  Bun.plugin({
    name: "brokkr",
    setup(build) {
      for (const [name, exports] of Object.entries(offered)) build.module(name, () => ({ exports, loader: "object" }));
    },
  });
}

/** The client of a cluster, loaded where there is one. It is in the binary; a project has to install it. */
export async function natsClient(): Promise<object> {
  const client = await import("@nats-io/transport-node");
  // By its file: the package names it nowhere.
  const transport = await import("@nats-io/transport-node/lib/node_transport.js").catch(() => ({}));
  return { ...transport, ...client };
}

/** What starts brokkr, whatever the working directory is: the binary, or the runtime with its flags and the program's path. */
export function ownProgram({ program, name }: Runtime): string[] {
  if (program === null) return [process.execPath];
  const file = program.startsWith("file:") ? fileURLToPath(program) : program;
  return [process.execPath, ...name === "deno" ? ["run", "-A"] : [], file];
}

/** The environment variable with the URL of the program, for its processes. */
export const PROGRAM_VARIABLE = "BROKKR_PROGRAM";

/** Its value for the program inside brokkr. */
export const DEMO_PROGRAM = "brokkr:demo";
