// Servers of the registry with a broker: what the guide's recipes do, and what is said where they listen too early.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BUN } from "../../scripts/command.ts";
import { buildNpm } from "../../scripts/build_npm.ts";
import { follow, stepsOf } from "../examples/guide.ts";
import { blocksOf } from "../examples/pages.ts";
import { installed, result } from "./installed.ts";

const DEADLINE = { timeout: 10 * 60_000 };
const PAGE = "docs/embedding.md";
const SERVERS = "express@5.3.0 fastify@5.12.8 hono@4.13.19 @hono/node-server@1.19.19";
/** 15 builds with webpack, 16 with Turbopack. */
const NEXTS = ["15.5.29", "16.4.6"];

/** A folder with `files` within that of `packages`, with brokkr beside them. */
async function projectWith(
  packages: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<{ folder: string; programs: string }> {
  const programs = join(await installed(packages, "none"), "..");
  const messages = await buildNpm(join(programs, "../brokkr"));
  if (messages !== "") throw new Error(`Cannot build the npm package: ${messages}`);
  const folder = join(programs, "../..", name);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder);
  const all = { "package.json": '{ "private": true, "type": "module" }\n', ...files };
  for (const [file, text] of Object.entries(all)) await Deno.writeTextFile(join(folder, file), text);
  return { folder, programs };
}

/** Without what the recipe installs, which is there. */
const INSTALL = /^npm install [^\n]*\n/m;

for (const part of ["Express", "Fastify", "Hono"]) {
  test(`${PAGE}, ${part}: the server answers from a module`, DEADLINE, async () => {
    const { folder } = await projectWith(SERVERS, part, {});
    const steps = [...await stepsOf(PAGE, "A module"), ...await stepsOf(PAGE, part)].map((step) =>
      step.kind === "file" ? step : { ...step, text: step.text.replace(INSTALL, "") }
    );
    await follow(steps, { folder, env: Deno.env.toObject(), replace: { "3000": String(freePort()) } });
  });
}

const REMEDY =
  'code before Broker.start({ name: "b" }) runs in this process too, and listens on a port that is taken, ' +
  'move it after that call, or set "program" to a file that only starts the broker';

const EARLY: Readonly<Record<string, string>> = {
  express: `import express from "express";\nexpress().listen(PORT);`,
  fastify: `import Fastify from "fastify";\nawait Fastify().listen({ port: PORT });`,
  hono: `import { Hono } from "hono";\nimport { serve } from "@hono/node-server";\n` +
    `serve({ fetch: new Hono().fetch, port: PORT });`,
  "node:http, whose program waits": `import { createServer } from "node:http";\n` +
    `const server = createServer();\nawait new Promise((done) => server.listen(PORT, done));`,
  "Bun.serve": `Bun.serve({ fetch: () => new Response(), port: PORT });`,
};

test("a server that listens before Broker.start: the line of the process says so", DEADLINE, async () => {
  const { folder } = await projectWith(SERVERS, "early", {});
  for (const [name, code] of Object.entries(EARLY)) {
    const program = `import { Broker, defineModule } from "brokkr";
const PORT = Number(process.env.PORT);
${code}
const hello = defineModule({ name: "hello", restart: { policy: "never" }, commands: { greet: () => "hello" } });
const lines = [];
await Broker.start({
  name: "b",
  modules: [hello],
  settings: { hello: { startTimeoutMs: 5_000 } },
  log: (record) => record.event === "process.exited" && lines.push(...record.lines()),
});
console.log(JSON.stringify(lines));
process.exit(0);
`;
    await Deno.writeTextFile(join(folder, "main.mjs"), program);
    for (const runtime of name === "Bun.serve" ? [BUN] : ["node", BUN]) {
      // Bun goes on where nobody waits for the server, and the process serves.
      const serves = runtime === BUN && (name === "express" || name === "hono");
      const { stdout, output } = await result([runtime, "main.mjs"], folder, { PORT: String(freePort()) });
      const lines: string[] = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      assert.equal(lines.length, serves ? 0 : 1, `${name} in ${runtime}\n${output}`);
      for (const line of lines) assert.ok(line.endsWith(REMEDY), `${name} in ${runtime}: ${line}`);
    }
  }
});

for (const version of NEXTS) {
  test(`${PAGE}, Next.js ${version}: its routes call a module whose process runs "program"`, DEADLINE, async () => {
    const { folder, programs } = await projectWith(`next@${version} react@19.2.0 react-dom@19.2.0`, "web", {});
    await Deno.mkdir(join(folder, "app/greet"), { recursive: true });
    const layout = "export default ({ children }) => <html><body>{children}</body></html>;\n";
    await Deno.writeTextFile(join(folder, "app/layout.js"), layout);
    for (const step of [...await blocksOf(PAGE)]) {
      if (step.name === null || !["A module", "Next.js"].includes(step.part)) continue;
      await Deno.writeTextFile(join(folder, step.name === "route.js" ? "app/greet/route.js" : step.name), step.text);
    }
    // Turbopack looks for packages no higher, and here they stand beside the project.
    const config = { turbopack: { root: join(folder, "..") } };
    await Deno.writeTextFile(join(folder, "next.config.js"), `export default ${JSON.stringify(config)};\n`);
    const next = join(programs, "next");
    const env = { NEXT_TELEMETRY_DISABLED: "1" };
    const built = await result([next, "build"], folder, env, 6 * 60_000);
    assert.equal(built.code, 0, built.output);
    assert.doesNotMatch(built.output, /Module not found|Critical dependency/);
    const port = String(freePort());
    const server = new Deno.Command(next, {
      args: ["start", "-p", port],
      cwd: folder,
      env,
      stdout: "null",
      stderr: "null",
    })
      .spawn();
    try {
      const address = `http://127.0.0.1:${port}/greet`;
      const got = async () => await fetch(address).then((answer) => answer.text(), () => null);
      const until = performance.now() + 60_000;
      let answer = await got();
      while (answer === null && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        answer = await got();
      }
      assert.equal(answer, "Hello world");
    } finally {
      server.kill("SIGTERM");
      await server.status;
    }
  });
}

function freePort(): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  return port;
}
