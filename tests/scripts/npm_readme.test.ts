import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { packageReadme } from "../../scripts/npm/readme.ts";
import { ROOT } from "../examples/command.ts";

const README =
  "See [Calls](docs/calls.md#x), [npm](https://npmjs.com) and [below](#below).\n\n![a picture](docs/a.png)\n";

test("packageReadme() links to the tag of the version where the repository is known", () => {
  assert.equal(
    packageReadme(README, "https://host/me/brokkr", "1.2.3"),
    "See [Calls](https://host/me/brokkr/blob/v1.2.3/docs/calls.md#x), [npm](https://npmjs.com) and [below](#below).\n\n" +
      "![a picture](https://host/me/brokkr/raw/v1.2.3/docs/a.png)\n",
  );
});

test("packageReadme() leaves no relative link where the repository is unknown", async () => {
  const expected = "See Calls, [npm](https://npmjs.com) and [below](#below).\n\n\n";
  assert.equal(packageReadme(README, null, "1.2.3"), expected);
  const readme = packageReadme(await readFile(join(ROOT, "README.md"), "utf8"), null, "1.2.3");
  assert.doesNotMatch(readme, /\]\((?!https?:|#)/);
});
