/** A place of a configuration. */
export interface Place {
  readonly file: string;
  /** From 1; null where the file as a whole is meant. */
  readonly line: number | null;
  readonly column: number | null;
}

/** What is wrong at one place of a configuration, or with its file. */
export interface Problem extends Place {
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** What is wrong with a configuration, each place in a line of its own: `FILE:LINE:COLUMN: what, and what to do`. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: { cause?: unknown }) {
    super(problems.map(problemLine).join("\n"), options);
    this.problems = problems;
  }
}

function problemLine({ file, line, column, message }: Problem): string {
  return line === null ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}
