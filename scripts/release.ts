/**
 * Everything of a release up to its publication, as a dry run, and then what is left for a person: `deno task release [--gate]`.
 * It never publishes.
 */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNpm } from "./build_npm.ts";
import { ROOT, run, stopOnSignals } from "./command.ts";
import { BINARY, compileWithBun } from "./compile_bun.ts";
import { expectSuccess, Steps } from "./gate/steps.ts";
import { readOptions } from "./options.ts";
import { hasRepository, packList } from "./release/package.ts";
import { sumText } from "./suite/report.ts";
import { VERSION } from "../src/core/version.ts";
import config from "../deno.json" with { type: "json" };

const DENO = Deno.execPath();
const GATE_DEADLINE_MS = 30 * 60_000;
const NPM = join(ROOT, "npm");
const TAG = `v${VERSION}`;

const { gate: withGate } = readOptions(
  "deno task release [--gate]",
  () => parseArgs({ args: Deno.args, options: { gate: { type: "boolean", default: false } } }).values,
);

const steps = new Steps();
stopOnSignals();

await steps.step("the working tree is clean", cleanTree);
await steps.step("CHANGELOG.md tells of this version", changelog);
await steps.step(`tag ${TAG} is free`, freeTag);
if (withGate) await steps.step("the gate", gate);
else steps.skip("the gate", "run deno task ok, or this with --gate");

if (await steps.step("the npm package is built", () => buildNpm(NPM))) {
  const { text, wrong } = await packList(NPM);
  await steps.step("npm packs it", () => Promise.resolve(wrong));
  console.log(text);
}
await steps.step("the version is the same everywhere", versions);
if (await steps.step("the binary is built and prints this version", () => compileWithBun())) {
  console.log(`     dist/brokkr: ${((await Deno.stat(BINARY)).size / 1_048_576).toFixed(1)} MiB\n`);
}
await steps.step("deno publish takes it", () => expectSuccess([DENO, "publish", "--dry-run", "--allow-dirty"]));

console.log(sumText(steps.sum));
console.log(await whatIsLeft());
Deno.exit(steps.sum.failed === 0 ? 0 : 1);

async function cleanTree(): Promise<string> {
  const { output } = await run(["git", "status", "--porcelain"]);
  return output.trim() === ""
    ? ""
    : `${output.trimEnd()}\nCommit or remove these: a release is made of what is committed`;
}

/** Before the release its entries stand under "Unreleased"; the date comes with the version. */
async function changelog(): Promise<string> {
  const text = await Deno.readTextFile(join(ROOT, "CHANGELOG.md"));
  const headings = [...text.matchAll(/^## \[([^\]]+)\]/gm)].map(([, name]) => name);
  if (headings.includes(VERSION) || headings.includes("Unreleased")) return "";
  return `CHANGELOG.md has neither "## [${VERSION}]" nor "## [Unreleased]", write what is new`;
}

async function freeTag(): Promise<string> {
  const { output } = await run(["git", "tag", "--list", TAG]);
  return output.trim() === "" ? "" : `Tag ${TAG} exists: raise the version in deno.json and src/core/version.ts`;
}

async function gate(): Promise<string> {
  const echo = (chunk: Uint8Array) => Deno.stdout.writeSync(chunk);
  return await expectSuccess([DENO, "run", "-A", "scripts/gate.ts"], { deadlineMs: GATE_DEADLINE_MS, echo });
}

async function versions(): Promise<string> {
  const built: { version?: unknown } = JSON.parse(await Deno.readTextFile(join(NPM, "package.json")));
  const found = new Map<string, unknown>([
    ["deno.json", config.version],
    ["npm/package.json", built.version],
  ]);
  return [...found].filter(([, version]) => version !== VERSION)
    .map(([file, version]) => `${file} has ${version}; src/core/version.ts has ${VERSION}`).join("\n");
}

async function whatIsLeft(): Promise<string> {
  const left = [
    ...(await hasRepository(NPM) ? [] : [
      "set REPOSITORY in scripts/npm/package_json.ts: npm takes no --provenance without it, and the README has no links",
    ]),
    `give "## [Unreleased]" in CHANGELOG.md the version ${VERSION} and the date`,
    `git tag ${TAG}, and push it`,
    "npm publish --provenance --access public, in npm/ and from CI",
    "deno publish, from CI",
    `attach dist/brokkr of each system to the release of ${TAG}`,
  ];
  return `\nNothing was published. Left for a person:\n${left.map((line) => `- ${line}`).join("\n")}`;
}
