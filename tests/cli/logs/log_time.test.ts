import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLogTime } from "../../../src/cli/log_filter.ts";

const NOW = new Date(2021, 9, 11, 12, 0, 0).getTime();
const at = (...parts: [number, number, number?, number?, number?, number?]) =>
  new Date(parts[0], parts[1] - 1, parts[2] ?? 1, parts[3] ?? 0, parts[4] ?? 0, parts[5] ?? 0).getTime();

test("parseLogTime() takes times as they stand in a log, and each lasts as long as what it names", () => {
  const expected: readonly (readonly [input: string, from: number, to: number])[] = [
    ["2021-10-11 06:10:52", at(2021, 10, 11, 6, 10, 52), at(2021, 10, 11, 6, 10, 52)],
    ["2021-10-11T06:10", at(2021, 10, 11, 6, 10), at(2021, 10, 11, 6, 10, 59)],
    ["2021-10-11T06", at(2021, 10, 11, 6), at(2021, 10, 11, 6, 59, 59)],
    ["2021-12-31", at(2021, 12, 31), at(2021, 12, 31, 23, 59, 59)],
  ];
  for (const [input, from, to] of expected) assert.deepEqual(parseLogTime(input, NOW), { from, to }, input);
});

test("parseLogTime() takes how long ago", () => {
  for (const [input, ms] of [["90s", 90_000], ["30m", 1_800_000], ["2h", 7_200_000], ["1.5d", 129_600_000]] as const) {
    assert.deepEqual(parseLogTime(input, NOW), { from: NOW - ms, to: NOW - ms }, input);
  }
});

test("parseLogTime() refuses what is no time, and says what would be one", () => {
  for (const input of ["", "2", "2021-13-01", "2021-02-30", "2021-10-11 25:00", "yesterday", "2021-10-11T06:10:52Z"]) {
    const refused = parseLogTime(input, NOW);
    assert.ok(typeof refused === "string", input);
    assert.match(refused, /must be a time like in the log, such as 2021-10-11T06:10 .*, or how long ago, such as 30m/);
  }
});
