import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { parseLogTime } from "../../../src/cli/log_filter.ts";
import { LogReader } from "../../../src/core/log/log_reader.ts";
import { formatStamp, twinOf } from "../../../src/core/log/prefix.ts";

// On 31 October 2021 clocks in Paris were set back from 3:00 to 2:00, which was 1:00 in London.
process.env["TZ"] = "Europe/Paris";

const utc = (time: string) => Date.parse(`2021-10-${time}Z`);

/** The times of lines that were written at these local times of that night. */
function times(...stamps: string[]): string[] {
  const reader = new LogReader();
  const items = stamps.flatMap((stamp) => [
    ...reader.push(`[2021-10-31 ${stamp}] INFO : [ D ] [ M ] [ LOG ] [ pid:1 ] [ T ] text`),
  ]);
  return [...items, ...reader.end()].map((item) =>
    item.kind === "event" ? new Date(item.time).toISOString().slice(8, 19) : item.raw
  );
}

test("twinOf() is the other time of the same stamp, where the clock was set back between the two", () => {
  assert.equal(twinOf(utc("31T00:30:00")), utc("31T01:30:00"));
  assert.equal(twinOf(utc("31T01:30:00")), utc("31T00:30:00"));
  for (const once of ["30T12:00:00", "30T23:59:59", "31T02:00:00", "31T12:00:00"]) {
    assert.equal(twinOf(utc(once)), null);
  }
  assert.equal(formatStamp(utc("31T00:30:00")), formatStamp(utc("31T01:30:00")));
});

test("LogReader takes a time that the clock showed twice for the first that is not before the line above", () => {
  assert.deepEqual(times("02:59:56", "02:59:58", "02:00:04", "02:00:04", "02:59:50", "03:00:01"), [
    ...["31T00:59:56", "31T00:59:58", "31T01:00:04", "31T01:00:04", "31T01:59:50", "31T02:00:01"],
  ]);
  assert.deepEqual(times("01:59:59", "02:10:00", "03:10:00"), ["30T23:59:59", "31T00:10:00", "31T02:10:00"]);
});

test("LogReader takes lines of several processes that stand a little out of order for what they are", () => {
  assert.deepEqual(times("02:10:05", "02:10:03", "02:10:06"), ["31T00:10:05", "31T00:10:03", "31T00:10:06"]);
  assert.deepEqual(times("02:59:59", "02:00:02", "02:00:00"), ["31T00:59:59", "31T01:00:02", "31T01:00:00"]);
});

test("parseLogTime() means all that has the stamp where the clock showed it twice", () => {
  assert.deepEqual(parseLogTime("2021-10-31T02:30", 0), { from: utc("31T00:30:00"), to: utc("31T01:30:59") });
  assert.deepEqual(parseLogTime("2021-10-31T02", 0), { from: utc("31T00:00:00"), to: utc("31T01:59:59") });
  assert.deepEqual(parseLogTime("2021-10-31T03", 0), { from: utc("31T02:00:00"), to: utc("31T02:59:59") });
});
