/** What is wrong with a configuration, each place in a line of its own: `FILE:LINE:COLUMN: what, and what to do`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(lines: readonly string[], options?: { cause?: unknown }) {
    super(lines.join("\n"), options);
  }
}
