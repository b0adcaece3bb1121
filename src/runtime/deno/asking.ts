import type { Asking } from "../runtime.ts";
import { engineTimer, hasEngineTimers, timer } from "../posix/clock.ts";
import { connect } from "./channel.ts";
import type { DenoNamespace } from "./namespace.ts";
import { privateFiles } from "./files.ts";

declare const Deno: DenoNamespace;

export const asking: Asking = {
  name: "deno",
  version: Deno.version.deno,
  pid: Deno.pid,
  // The connection keeps the process alive. The first one of Deno's own costs a process 5 ms.
  clock: { timer: hasEngineTimers ? engineTimer : timer },
  files: privateFiles,
  variable: (name) => Deno.env.get(name),
  connect,
  onSignal(signal, fn) {
    Deno.addSignalListener(signal, fn);
    return () => Deno.removeSignalListener(signal, fn);
  },
  terminal: (output) => Deno[output].isTerminal() ? Deno.consoleSize() : null,
  write: (bytes, output) => void Deno[output].writeSync(bytes),
  exit: (code) => Deno.exit(code),
};
