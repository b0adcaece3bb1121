/** The terminal as a full screen with its keys; restored on every way out. */

import process from "node:process";

/** Alternate screen, no cursor, and no wrapping of lines, in case the terminal shows a character wider than expected. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";

/** Exit codes of the signals that end a process. */
const EXIT_CODES = { SIGTERM: 143, SIGHUP: 129 } as const;

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface TerminalEvents {
  readonly key: (key: string) => void;
  readonly resized: () => void;
}

export class Terminal implements Disposable {
  readonly #events: TerminalEvents;
  #isOpen = true;

  /** Why nothing can be drawn on standard input and output; null where it can. */
  static lacks(): string | null {
    const isHere = process.stdout.isTTY === true && process.stdin.isTTY === true;
    if (!isHere) return "standard input and output are not a terminal";
    return process.env["TERM"] === "dumb" ? 'TERM is "dumb", which is a terminal that only prints' : null;
  }

  constructor(events: TerminalEvents) {
    this.#events = events;
    process.stdout.write(ENTER);
    process.stdin.setRawMode(true);
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", this.#data);
    process.stdin.resume();
    process.on("SIGWINCH", this.#resized);
    process.on("exit", this.#restore);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(EXIT_CODES[signal]));
  }

  get size(): Size {
    return { width: process.stdout.columns || 80, height: process.stdout.rows || 24 };
  }

  /** Draws the whole screen in one write, so that it does not flicker. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const { height } = this.size;
    // Each line is cleared before it is drawn: after a full line, the cursor is on the last character.
    const text = lines.slice(0, height).map((line) => `${CLEAR_LINE}${line}`).join("\r\n");
    process.stdout.write(`${HOME}${text}`);
  }

  [Symbol.dispose](): void {
    process.off("SIGWINCH", this.#resized);
    process.off("exit", this.#restore);
    process.stdin.off("data", this.#data);
    this.#restore();
    process.stdin.pause();
  }

  readonly #data = (chunk: string | Uint8Array): void => {
    for (const key of keysOf(String(chunk))) this.#events.key(key);
  };

  readonly #resized = (): void => this.#events.resized();

  readonly #restore = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.stdin.setRawMode(false);
    process.stdout.write(LEAVE);
  };
}

const SEQUENCES: ReadonlyMap<string, string> = new Map([
  ["\x1b[A", "up"],
  ["\x1bOA", "up"],
  ["\x1b[B", "down"],
  ["\x1bOB", "down"],
  ["\x1b[5~", "page-up"],
  ["\x1b[6~", "page-down"],
  ["\x1b[H", "home"],
  ["\x1b[1~", "home"],
  ["\x1b[F", "end"],
  ["\x1b[4~", "end"],
  ["\r", "enter"],
  ["\n", "enter"],
  ["\x03", "quit"],
  ["\x1b", "escape"],
  ["\x7f", "escape"],
  ["\x0c", "redraw"],
]);

/** The keys in one chunk of terminal input: names of special keys, else the character itself. */
export function keysOf(text: string): string[] {
  const keys: string[] = [];
  for (let at = 0; at < text.length;) {
    const behind = text[at] === "\x1b" ? /^(?:\[[\d;]*[A-Za-z~]|O[A-Z])?/.exec(text.slice(at + 1))?.[0] : undefined;
    const sequence = behind === undefined ? "" : `\x1b${behind}`;
    const whole = sequence === "" ? String.fromCodePoint(text.codePointAt(at) ?? 0) : sequence;
    const known = SEQUENCES.get(whole);
    if (known !== undefined) keys.push(known);
    else if (sequence === "") keys.push(whole);
    at += whole.length;
  }
  return keys;
}
