import { test } from "node:test";
import assert from "node:assert/strict";
import { parseJunit } from "../../scripts/suite/junit.ts";

const DENO = `<testsuites name="deno test" tests="4" failures="2">
  <testsuite name="./entry.mjs" tests="1"><testcase name="adds &lt;1 &gt; 0&gt;" classname="x" time="0.001" line="3" col="1">
  </testcase></testsuite>
  <testsuite name="./sub.test.js" tests="4">
    <testcase name="parent" classname="x" time="0.004"><failure message="1 test step failed">1 test step failed.</failure></testcase>
    <testcase name="parent &gt; one" classname="x"></testcase>
    <testcase name="parent &gt; two" classname="x"><failure message="a &gt; b">at &lt;anonymous&gt;</failure></testcase>
    <testcase name="left out" classname="x"><skipped/></testcase>
    <testcase name="ended the process" classname="x"><error message="Cancelled"/></testcase>
  </testsuite>
</testsuites>`;

const NODE = `<testsuites>
	<testcase name="says &amp;quot;yes&amp;quot;" time="0.001" classname="test"/>
	<testsuite name="suite" tests="2" failures="1">
		<testcase name="fails" classname="test" failure="a => b"><failure type="testCodeFailure" message="a => b">text</failure></testcase>
		<testcase name="left out" classname="test"><skipped type="skipped" message="needs /proc"/></testcase>
		<testcase name="left out without a reason" classname="test"><skipped type="skipped" message="true"/></testcase>
	</testsuite>
	<testcase name="after" classname="test"/>
	<!-- tests 5 -->
`;

const BUN = `<testsuites name="bun test">
  <testsuite name="entry.mjs" file="entry.mjs">
    <testsuite name="suite" file="x.test.js">
      <testcase name="one" classname="suite" time="0.0009" assertions="0" />
      <testcase name="two" classname="suite"><failure type="Error" message="1&#10;2">Error&#10;at x</failure></testcase>
    </testsuite>
    <testcase name="to do" classname=""><skipped message="TODO" /></testcase>
  </testsuite>
</testsuites>`;

function lines(xml: string, fileSuite: boolean): string[] {
  return parseJunit(xml, { fileSuite }).map(({ name, outcome, reason }) => `${outcome} ${name} ${reason}`.trim());
}

test("parseJunit() reads Deno's file and counts a test with subtests by its subtests", () => {
  assert.deepEqual(lines(DENO, true), [
    "passed adds <1 > 0>",
    "passed parent > one",
    "failed parent > two",
    "skipped left out",
    "failed ended the process",
  ]);
});

test("parseJunit() reads Node's file, cut off before its end, with the reasons of skips", () => {
  assert.deepEqual(lines(NODE, false), [
    'passed says "yes"',
    "failed suite > fails",
    "skipped suite > left out needs /proc",
    "skipped suite > left out without a reason",
    "passed after",
  ]);
});

test("parseJunit() reads Bun's file with nested suites", () => {
  assert.deepEqual(lines(BUN, true), ["passed suite > one", "failed suite > two", "skipped to do TODO"]);
});

test("parseJunit() keeps a test that failed beside its subtests, and gives nothing for an empty file", () => {
  const xml = '<testsuite name="f"><testcase name="a"><failure/></testcase><testcase name="a &gt; b"/></testsuite>';
  assert.deepEqual(lines(xml, true), ["failed a", "passed a > b"]);
  assert.deepEqual(lines("", true), []);
});
