import { cutText } from "./escape.ts";
import { filePath, isLoader, type JsFrame, readJsFrame } from "./js_frame.ts";

/** What a stack is printed from. `stack` is the text as the runtime made it. */
export interface StackSource {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

const MAX_FRAMES = 50;
const MAX_LINES = 100;
const MAX_LINE_LENGTH = 1000;
const MAX_FILE_LENGTH = 300;
/** What of a stack is looked at. */
const MAX_LENGTH = 1_000_000;
/** Of a message, to find it in the stack. */
const MAX_SEARCHED = 1_000;

/**
 * The lines of an error's stack as they are logged: `Traceback (most recent call last):`, the frames outermost first as
 * `  File "FILE", line N, in FUNCTION`, then `Class: message`. A stack without frames is `Class: message` alone, one of
 * another language is printed as it came.
 *
 * Frames of the runtime, and those whose file begins with one of `ownFiles` (paths or `file:` URLs), are left out.
 * Never throws; at least one line, at most 100, of which 50 frames, each of at most 1,000 characters.
 *
 * A function without a name is `<anonymous>`. V8 has no other word for the top level of a module, so such a frame is
 * `<module>` where nothing called it but a loader.
 */
export function stackLines(error: StackSource, ownFiles: readonly string[]): string[] {
  return bounded(allLines(error, ownFiles)).map((line) => cutText(line, MAX_LINE_LENGTH));
}

function allLines(error: StackSource, ownFiles: readonly string[]): string[] {
  const summary = summaryLines(error);
  const stack = (error.stack ?? "").slice(0, MAX_LENGTH);
  if (stack.trim() === "") return summary;
  if (/^\s*Traceback \(most recent call last\)/.test(stack)) return foreignLines(stack);

  const { text, isExact } = withoutMessage(stack, error.message);
  const lines = text.split(/\r?\n/);
  const first = lines.findIndex((line) => readJsFrame(line) !== null);
  if (first === -1) return isExact && text.trim() === "" || isOneLine(stack) ? summary : foreignLines(stack);
  const rest = lines.slice(first);
  if (rest.some((line) => !isOfJsStack(line))) return foreignLines(stack);

  const frames = rest.map(readJsFrame).filter((frame) => frame !== null);
  const shown = frameLines(frames, ownFiles.map(filePath).filter((prefix) => prefix !== ""));
  if (shown.length === 0) return summary;
  const outer = shown.length > MAX_FRAMES ? [`  … ${shown.length - MAX_FRAMES} more`] : [];
  return ["Traceback (most recent call last):", ...outer, ...shown.slice(0, MAX_FRAMES).reverse(), ...summary];
}

function summaryLines({ name, message }: StackSource): string[] {
  const kind = name === "" ? "Error" : name;
  return (message === "" ? kind : `${kind}: ${message.slice(0, MAX_LENGTH)}`).split(/\r?\n/);
}

/** The part behind the message, which may itself have lines that look like frames. */
function withoutMessage(stack: string, message: string): { text: string; isExact: boolean } {
  // To search for a long text costs the product of both lengths, where they are made for it.
  const at = message === "" ? -1 : stack.indexOf(message.slice(0, MAX_SEARCHED));
  const firstLineEnd = stack.indexOf("\n");
  if (at === -1 || (firstLineEnd !== -1 && at > firstLineEnd) || !stack.startsWith(message, at)) {
    return { text: stack, isExact: false };
  }
  return { text: stack.slice(at + message.length), isExact: true };
}

/** `frames` innermost first, as in JavaScript; so are the lines. */
function frameLines(frames: readonly JsFrame[], ownFiles: readonly string[]): string[] {
  const lines: string[] = [];
  for (const [index, frame] of frames.entries()) {
    const { file } = frame;
    if (frame.native || file === null || ownFiles.some((prefix) => file.startsWith(prefix))) continue;
    const caller = frames[index + 1];
    const nameless = caller === undefined || isLoader(caller) ? "<module>" : "<anonymous>";
    lines.push(`  File "${cutText(file, MAX_FILE_LENGTH)}", line ${frame.line}, in ${frame.function ?? nameless}`);
  }
  return lines;
}

function isOfJsStack(line: string): boolean {
  const text = line.trimStart();
  return text === "" || text.startsWith("at ") || text.startsWith("...");
}

function isOneLine(stack: string): boolean {
  return !stack.trim().includes("\n");
}

function foreignLines(stack: string): string[] {
  // Not by one pattern: one that ends in `\s+$` looks again from each blank of a run.
  const from = stack.lastIndexOf("\n", stack.search(/\S/)) + 1;
  return stack.slice(from).trimEnd().split(/\r?\n/);
}

/** The first and the last lines, where there are too many: both the cause and the place matter. */
function bounded(lines: string[]): string[] {
  if (lines.length <= MAX_LINES) return lines;
  const tail = MAX_LINES / 2;
  const head = MAX_LINES - tail - 1;
  return [...lines.slice(0, head), `… ${lines.length - head - tail} more`, ...lines.slice(-tail)];
}
