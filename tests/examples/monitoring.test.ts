import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { inThisRuntime, ROOT, run } from "./command.ts";
import { follow, type Step, stepsOf } from "./guide.ts";
import { brokkrFolder, freePort } from "./project.ts";
import { shownOutput } from "./readme.ts";

const PAGE = "docs/monitoring.md";
const START = "How do I see it in a browser?";
/** The page has found its broker. */
const KNOWN = "until curl -sf http://127.0.0.1:9464/healthz; do sleep 0.1; done\n";
const missing = ["curl", "openssl"].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
const WITH_TOOLS = { skip: missing.length === 0 ? false : `there is no ${missing.join(" and no ")} on PATH` };
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const WITH_PROMTOOL = { skip: hasPromtool ? false : "promtool is missing, it is in Debian's package prometheus" };

test("the monitoring example prints what its README shows", async () => {
  const program = join(ROOT, "examples/monitoring/main.ts");
  const { code, stdout, stderr } = await run(inThisRuntime(program));
  assert.equal(code, 0, stderr);
  assert.equal(stdout, await shownOutput("monitoring"));
  assert.match(stderr, / The broker is ready after .* \(modules: 2, failed: 0\)\n/);
  assert.match(stderr, / The broker stopped in /);
});

for (const part of ["How does Prometheus get it?", "How does a load balancer or a container ask whether it is well?"]) {
  test(`${PAGE}, ${part}: the commands print what the text says`, WITH_TOOLS, async () => {
    const steps = (await stepsOf(PAGE, part)).filter((step) => !isPromtool(step));
    await tried([...await stepsOf(PAGE, START), ...steps]);
  });
}

test(`${PAGE}, Who can open the page?: the commands print what the text says`, WITH_TOOLS, async () => {
  const steps = await stepsOf(PAGE, "Who can open the page?");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 2);
  await tried(steps);
});

test(
  `${PAGE}, How does Prometheus get it?: promtool takes the configuration and its alerts`,
  WITH_PROMTOOL,
  async () => {
    const steps = await stepsOf(PAGE, "How does Prometheus get it?");
    assert.equal(steps.filter(isPromtool).length, 1);
    await tried(steps.filter((step) => step.kind === "file" || isPromtool(step)));
  },
);

function isPromtool(step: Step): boolean {
  return step.kind === "command" && step.text.startsWith("promtool ");
}

/** The guide's port may be taken here. */
async function tried(steps: readonly Step[]): Promise<void> {
  await using project = await brokkrFolder();
  const init: Step = { kind: "command", text: "brokkr init --js\n", output: null };
  const known: Step = { kind: "command", text: KNOWN, output: null };
  const begun = steps.flatMap((step) =>
    step.kind === "command" && step.text.includes("brokkr run") ? [step, known] : [step]
  );
  await follow([init, ...begun], { ...project, replace: { "9464": String(await freePort()) } });
}
