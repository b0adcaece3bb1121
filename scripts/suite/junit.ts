/** Reads the JUnit files that `deno test`, `node --test-reporter=junit` and `bun test` write. */

export interface TestOutcome {
  /** Names of the suites around it and its own, joined by ` > `. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped; empty where the runtime does not tell. */
  readonly reason: string;
}

export interface JunitDialect {
  /** The outermost `<testsuite>` is the file. Node has none. */
  readonly fileSuite: boolean;
}

/** The tests in `xml`, without the tests that only hold others. A file that was cut off gives what it has. */
export function parseJunit(xml: string, dialect: JunitDialect): TestOutcome[] {
  const suites: string[] = [];
  const tests: { name: string; outcome: TestOutcome["outcome"]; reason: string }[] = [];
  for (const [, closing, tag, attributes, empty] of xml.matchAll(TAG)) {
    const current = tests.at(-1);
    if (tag === "testsuite") {
      if (closing) suites.pop();
      else if (!empty) suites.push(attribute(attributes, "name"));
    } else if (tag === "testcase" && !closing) {
      const around = dialect.fileSuite ? suites.slice(1) : suites;
      tests.push({ name: [...around, attribute(attributes, "name")].join(" > "), outcome: "passed", reason: "" });
    } else if (current !== undefined && (tag === "failure" || tag === "error")) {
      current.outcome = "failed";
    } else if (current !== undefined && tag === "skipped" && !closing) {
      current.outcome = "skipped";
      current.reason = attribute(attributes, "message").replace(/^true$/, "");
    }
  }
  return withoutHolders(tests);
}

const TAG = /<(\/?)(testsuite|testcase|failure|error|skipped)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g;

function attribute(attributes: string | undefined, name: string): string {
  const value = attributes?.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? "";
  return value
    .replaceAll("&amp;quot;", "&quot;") // Node escapes quotes twice
    .replaceAll(/&(#\d+|#x[\da-f]+|\w+);/gi, (whole, entity: string) => {
      if (!entity.startsWith("#")) return ENTITIES.get(entity) ?? whole;
      return String.fromCodePoint(Number(entity.slice(1).replace(/^x/i, "0x")));
    });
}

const ENTITIES = new Map([["lt", "<"], ["gt", ">"], ["amp", "&"], ["quot", '"'], ["apos", "'"]]);

/** Deno lists a test with subtests as a test of its own. It counts only where it failed and no subtest did. */
function withoutHolders(tests: readonly TestOutcome[]): TestOutcome[] {
  return tests.filter((test) => {
    const inside = tests.filter((other) => other.name.startsWith(`${test.name} > `));
    if (inside.length === 0) return true;
    return test.outcome === "failed" && inside.every((other) => other.outcome !== "failed");
  });
}
