/** A folder of the reader's own. */

import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { installBrokkr, temporaryFolder } from "./command.ts";

export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** `brokkr` on PATH is the command line of this runtime, and nobody else's brokers are seen. */
  readonly env: Readonly<Record<"PATH" | "XDG_RUNTIME_DIR", string>>;
}

/** An empty folder where `brokkr` is installed. */
export async function brokkrFolder(): Promise<Project> {
  const temporary = await temporaryFolder();
  const [folder, programs, sockets] = [
    join(temporary.path, "empty folder"),
    join(temporary.path, "bin"),
    join(temporary.path, "run"),
  ];
  for (const path of [folder, programs, sockets]) await mkdir(path, { mode: 0o700 });
  await installBrokkr(programs);
  const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}`, XDG_RUNTIME_DIR: sockets };
  return { folder, env, [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose]() };
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return address.port;
}
