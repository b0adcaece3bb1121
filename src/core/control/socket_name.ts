/** Name of the folder that holds the control sockets of one user. */
export const CONTROL_FOLDER = "brokkr";

const ENDING = ".sock";
/** The longest path of a unix socket on macOS, without its final zero; Linux takes four more bytes. */
const PATH_LIMIT = 103;

/** @throws {Error} when the path is longer than a socket's may be. */
export function socketPath(folder: string, broker: string): string {
  const path = `${folder}/${broker}${ENDING}`;
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= PATH_LIMIT) return path;
  throw new Error(
    `Cannot open control socket "${path}": its path has ${bytes} bytes and may have ${PATH_LIMIT}, ` +
      `set XDG_RUNTIME_DIR or TMPDIR to a shorter path`,
  );
}

/** Name of the broker whose socket `file` would be, or null. */
export function brokerOf(file: string): string | null {
  return file.endsWith(ENDING) && !file.startsWith(".") ? file.slice(0, -ENDING.length) : null;
}
