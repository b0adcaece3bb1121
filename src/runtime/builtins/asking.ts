import { timer } from "../posix/clock.ts";
import type { Asking } from "../runtime.ts";
import { privateFiles } from "./files.ts";
import { fileSystem, process } from "./process.ts";

/** `/dev/null` of Linux. */
const NULL_DEVICE = 0x103n;

const DESCRIPTORS = { stdout: 1, stderr: 2 };

/** What Node and Bun have in common of it. */
export const common = {
  pid: process.pid,
  clock: { timer },
  files: privateFiles,
  variable: (name) => process.env[name],
  onSignal(signal, fn) {
    const listener = () => fn();
    process.on(signal, listener);
    return () => void process.off(signal, listener);
  },
  terminal(output) {
    // Before the stream: it costs a process of Bun 6 to 10 ms, and one of Node 2 ms.
    // As in standard_error.ts: its other form stops Node from following links.
    const stats = fileSystem().fstatSync(DESCRIPTORS[output], { bigint: true });
    if (!stats.isCharacterDevice() || stats.rdev === NULL_DEVICE) return null;
    const { isTTY, columns } = process[output];
    return isTTY === true ? { columns } : null;
  },
  write: (bytes, output) => void fileSystem().writeSync(DESCRIPTORS[output], bytes),
  exit: (code) => process.exit(code),
} satisfies Partial<Asking>;
