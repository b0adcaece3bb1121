import assert from "node:assert/strict";
import process from "node:process";

/** Processor time that needs no second look: what costs its square takes several times as much. */
const CHEAP_MS = 40;
/** Four times the input may cost so many times as much; the square is 16. */
const MOST = 9;
const ROUNDS = 3;

/** What is repeated in texts that are made to be slow: blanks, brackets, beginnings of all that a pattern looks for. */
const UNITS = [
  ...[" ", "\t", "\n", " \n", "\r\n", "\u00a0", "\ufeff ", "\u2028"],
  ...["[", "]", "[ ", "[ a ] ", "[2", "[2021-10-11", "[2021-10-11 06:10:52]", "[2021-10-11 06:10:52] ERROR : "],
  ...["(", " (", "at f (", "    at f (/a.js:1:1)\n", "at eval (eval at f (", "), ", "a.", "at x\n", "Error: "],
  ...[
    "Traceback (most recent call last):\n",
    "The command call [",
    "] was executed by the module ",
    ", 1 × ",
    "9",
    "A",
  ],
  ...["\\", "\\n", '"', "'", "{", "}", "{}\n", '{"level"', '"level":', "level=", "[ warn", "error ", "Error", "a.B"],
  ...["\x1b[", "\x1b[1;", ";", ":", "\ufffd", "\ud800", "é", "//", "/*", "null,", '"a":1,'],
  ...["content-length:", "Content-Length: 0\r\n\r\n", "content-length: 9 "],
];
const BEFORE = [
  "",
  "x",
  "{",
  "Error: x\n    at f (/a.js:1:1)\n",
  "[2021-10-11 06:10:52] ERROR : [ b ] [ m ] [ COMMAND CALL ] [ PID:1 ] [ t ] ",
  "[2021-10-11 06:10:52] INFO : [ b ] [ m ] [ CLEANUP RECEIPT ] [ PID:1 ] Released 1 modules [",
];

/**
 * Fails where `read` takes more than its part for longer texts: of a size, and of four times that size. Measured in processor time,
 * the least of several, so that a busy machine changes nothing.
 */
export function assertGrowsWithText(read: (text: string) => void, characters = 8_192): void {
  for (const unit of UNITS) {
    for (const before of BEFORE) {
      for (const behind of ["x", "x\n"]) {
        const text = (length: number) => before + unit.repeat(Math.ceil(length / unit.length)) + behind;
        assertGrows(JSON.stringify([before, unit, behind]), characters, (length) => {
          const made = text(length);
          return () => read(made);
        });
      }
    }
  }
}

/** The same for any input. @param make what reads an input of that size. */
export function assertGrows(what: string, size: number, make: (size: number) => () => void): void {
  let ratio = Infinity;
  for (let round = 0; round < ROUNDS && ratio > MOST; round++) {
    const large = cost(make(size * 4));
    if (large < CHEAP_MS) return;
    ratio = Math.min(ratio, Math.min(large, cost(make(size * 4))) / Math.max(1, cost(make(size)), cost(make(size))));
  }
  assert.ok(ratio <= MOST, `${what}: four times the input costs ${ratio.toFixed(1)} times as much`);
}

function cost(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
