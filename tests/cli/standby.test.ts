import assert from "node:assert/strict";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inSandbox, type Sandbox } from "./cli_process.ts";
import { gone, pidsOf, statusOf } from "./shown_status.ts";

const MODULE = (name: string) =>
  `import process from "node:process";
export default {
  name: "${name}",
  commands: { seen: () => [process.env.SLA_TOKEN ?? null, process.env.WEB_TOKEN ?? null, process.cwd()] },
};
`;

async function kept(sandbox: Sandbox, but: number[] = []): Promise<number> {
  for (;;) {
    const pid = (await statusOf(sandbox)).standby.map(({ pid }) => pid).find((pid) => !but.includes(pid));
    if (pid !== undefined) return pid;
  }
}

test("standby under a configuration: it has no variable that a module claims until it becomes that module, and starts in its folder", () =>
  inSandbox(async (sandbox) => {
    mkdirSync(join(sandbox.folder, "web"));
    for (const name of ["sla", "web"]) writeFileSync(join(sandbox.folder, `${name}.js`), MODULE(name));
    const modules = {
      sla: { path: "sla.js", env: ["SLA_TOKEN"] },
      web: { path: "web.js", env: ["WEB_TOKEN"], cwd: "web" },
    };
    writeFileSync(join(sandbox.folder, "brokkr.json"), JSON.stringify({ name: "tree", standby: 1, modules }));
    // Bun reads it by itself: what was taken out must not come back.
    for (const place of [".", "web"]) {
      writeFileSync(join(sandbox.folder, place, ".env"), "SLA_TOKEN=of a file\nWEB_TOKEN=of a file\n");
    }
    const env = { SLA_TOKEN: "of sla", WEB_TOKEN: "of web" };
    const broker = await sandbox.broker(["run", "brokkr.json"], { env });
    const folder = realpathSync(sandbox.folder);
    const taken: number[] = [];
    for (
      const [name, seen] of [
        ["sla", ["of sla", null, folder]],
        ["web", [null, "of web", join(folder, "web")]],
      ] as const
    ) {
      const pid = await kept(sandbox, taken);
      taken.push(pid);
      assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, "utf8"), /_TOKEN/);
      process.kill((await statusOf(sandbox)).modules.find((module) => module.name === name)?.pid ?? NaN, "SIGKILL");
      await broker.printed("stderr", `${name} is ready`, 2);
      assert.match(broker.stderr, new RegExp(`${name} is ready after [\\d.]+s \\(pid ${pid}\\)`));
      const { stdout } = await sandbox.run(["call", name, "seen"]);
      assert.deepEqual(JSON.parse(stdout), seen);
    }
    const last = await kept(sandbox, taken);
    const pids = pidsOf(await statusOf(sandbox));
    broker.kill("SIGKILL");
    await gone([...pids, last]);
  }));
