/** What a task is told on its command line. */

/**
 * What `read` makes of it. `--help` prints `usage` and ends the program; so does a `TypeError` of `read`, whose message says what is
 * wrong, with status 2.
 */
export function readOptions<Options>(usage: string, read: () => Options): Options {
  if (Deno.args.includes("--help")) {
    console.log(usage);
    Deno.exit(0);
  }
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${usage}`);
    Deno.exit(2);
  }
}
