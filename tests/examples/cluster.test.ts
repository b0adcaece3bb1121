import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SKIP } from "../process/cluster_of.ts";
import { ROOT, run, type Running, start } from "./command.ts";
import { type Step, stepsOf } from "./guide.ts";
import { brokkrFolder, freePort } from "./project.ts";

const OPTIONS = { skip: SKIP, timeout: 110_000 };

test("docs/cluster.md, Two machines in five minutes: the commands print what the text says", OPTIONS, async () => {
  const steps = await stepsOf("docs/cluster.md", "Two machines in five minutes");
  assert.equal(steps.filter(({ kind }) => kind === "command").length, 5);
  await tried(steps);
});

test("examples/cluster: two brokers call each other by nats-server as its README says", OPTIONS, async () => {
  const files: Step[] = [];
  for (const name of await readdir(join(ROOT, "examples/cluster"))) {
    if (name === "README.md") continue;
    const text = await readFile(join(ROOT, "examples/cluster", name), "utf8");
    files.push({ kind: "file", name: `examples/cluster/${name}`, text });
  }
  assert.equal(files.length, 4);
  await tried([...files, ...await stepsOf("examples/cluster/README.md", "Two brokers and nats-server")]);
});

/** A node says each second how many calls it has, so what it said last may be of the moment of a call that is over by now. */
const SAID =
  `until brokkr status --broker front --json | grep -q '"sla":{"state":"ready","pending":0,'; do sleep 0.1; done
`;

/** On this machine and on a port that is free. What stays in the foreground of its terminal goes on until the end. */
async function tried(steps: readonly Step[]): Promise<void> {
  await using project = await brokkrFolder();
  const { folder: cwd, env } = project;
  const port = String(await freePort());
  const here = (text: string) => text.replaceAll("nats-1:4222", `127.0.0.1:${port}`).replaceAll("4222", port);
  await mkdir(join(cwd, "examples/cluster"), { recursive: true });
  const running: Running[] = [];
  try {
    for (const step of steps) {
      if (step.kind === "file") {
        await writeFile(join(cwd, step.name), here(step.text));
        continue;
      }
      const { text, output } = step;
      const command = ["/bin/sh", "-ec", here(text).replace(/^(?=brokkr status .*--cluster$)/m, SAID)];
      if (/nats-server -c|brokkr run/.test(text)) {
        const one = start(command, { cwd, env });
        running.push(one);
        await one.printed(/Server is ready|The broker is ready/);
        continue;
      }
      const { code, stdout, stderr } = await run(command, { cwd, env });
      assert.equal(code, 0, `${text}${stdout}${stderr}`);
      if (output !== null) assert.equal(steady(stdout), steady(here(output)), stderr);
    }
  } finally {
    for (const one of running.reverse()) await one[Symbol.asyncDispose]();
  }
}

/** Without what differs from run to run: times, numbers of processes, and the width of columns with these. */
function steady(text: string): string {
  return text.replaceAll(/\b(?:\d+m )?\d+s\b|\b[\d.]+ ms\b/g, "TIME").replaceAll(/pid \d+/g, "pid PID")
    .split("\n").map((line) => line.trim().replaceAll(/ +/g, " ")).join("\n").replaceAll(/\n(?=cluster\n)/g, " ");
}
