/**
 * Writes docs/pictures/top.png: `brokkr top` at work, as a terminal shows it. Needs tmux and Chromium.
 *
 *     deno task pictures
 */

import { join } from "node:path";
import { ROOT } from "../command.ts";
import { terminalHtml } from "./terminal_html.ts";

const SIZE = { columns: 100, rows: 22 };
const PICTURE = { width: 940, height: 462 };
/** For some calls a second, and the first errors. */
const AT_WORK_MS = 8_000;

async function output(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], env }).output();
  if (!success) throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

const folder = await Deno.makeTempDir({ prefix: "brokkr-pictures-" });
const env = { XDG_RUNTIME_DIR: folder, TERM: "xterm-256color" };
const tmux = (...args: string[]) => output("tmux", ["-L", "brokkr-pictures", "-f", "/dev/null", ...args], env);
const program = new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", join(ROOT, "scripts/pictures/program.ts")],
  env,
  stdout: "piped",
}).spawn();
try {
  await program.stdout.getReader().read();
  const top = `'${Deno.execPath()}' run -A '${join(ROOT, "cli.ts")}' top`;
  await tmux("new-session", "-d", "-x", String(SIZE.columns), "-y", String(SIZE.rows), top);
  await new Promise((resolve) => setTimeout(resolve, AT_WORK_MS));
  const page = join(folder, "top.html");
  await Deno.writeTextFile(page, terminalHtml(await tmux("capture-pane", "-e", "-p")));
  const file = join(ROOT, "docs/pictures/top.png");
  const size = `--window-size=${PICTURE.width},${PICTURE.height}`;
  await output("chromium", ["--headless", "--no-sandbox", "--hide-scrollbars", size, `--screenshot=${file}`, page]);
  console.log(`docs/pictures/top.png: ${(await Deno.stat(file)).size} bytes`);
} finally {
  await tmux("kill-server").catch(() => {});
  program.kill("SIGTERM");
  await program.status;
  await Deno.remove(folder, { recursive: true });
}
