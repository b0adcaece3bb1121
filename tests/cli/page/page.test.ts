import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { brokerConfig, type CliProcess, ending, fixture, inSandbox, type Sandbox } from "../cli_process.ts";
import { pageOf } from "./page_of.ts";

const TOKEN = "a-token-of-this-test";

async function brokerWithPage(sandbox: Sandbox, args: readonly string[] = [], env = {}): Promise<CliProcess> {
  const broker = await sandbox.broker(["run", brokerConfig, "--page", "127.0.0.1:0", ...args], { env });
  // The page looks for its broker every 250 ms, and finds it some time after it is ready.
  const headers = { authorization: `Bearer ${TOKEN}` };
  await eventually(async () => (await ask(`${pageOf(broker)}metrics`, headers)).status === 200);
  return broker;
}

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Not by fetch, which lets nobody say a host. */
function ask(url: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answered> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => body += text);
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    }).on("error", reject).end();
  });
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!await check()) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("brokkr run --page serves the page, the metrics and its health, and refuses whoever is not meant", () =>
  inSandbox(async (sandbox) => {
    const broker = await brokerWithPage(sandbox);
    const page = pageOf(broker);
    assert.equal((await sandbox.run(["call", "sla", "greet", "you"])).code, 0);
    const metrics = await ask(`${page}metrics`);
    assert.equal(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.match(metrics.body, /^brokkr_calls_total\{module="sla",outcome="ok"\} 1$/m);
    assert.match(metrics.body, /^brokkr_process_state\{module="Livestatus",worker="Livestatus-2",state="ready"\} 1$/m);
    await eventually(async () => (await ask(`${page}healthz`)).status === 200);

    const html = await ask(page);
    assert.match(html.body, /<title>brokkr<\/title>/);
    assert.doesNotMatch(html.body, /<script(?! defer src="\/)|<style|\son\w+=|https?:/);
    for (const [, path = ""] of html.body.matchAll(/(?:src|href)="\/([^"]+)"/g)) {
      const { status, headers } = await ask(page + path);
      assert.deepEqual([path, status], [path, 200]);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["cache-control"], "no-store");
      assert.match(
        String(headers["content-security-policy"]),
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
    }
    for (const path of ["", "metrics", "healthz", "events", "page.js"]) {
      const status = async (...asked: [Record<string, string>, string?]) => (await ask(page + path, ...asked)).status;
      assert.equal(await status({ host: "evil.example" }), 403, path);
      assert.equal(await status({ origin: "http://evil.example" }), 403, path);
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) assert.equal(await status({}, method), 405, path);
    }
    assert.equal((await ask(`${page}../etc/passwd`)).status, 404);
    assert.equal((await ask(`${page}nothing`)).body, 'Nothing exists at "/nothing"\n');
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));

test("brokkr run --page sends what happens as it happens", () =>
  inSandbox(async (sandbox) => {
    const page = pageOf(await brokerWithPage(sandbox));
    let text = "";
    const wake = new Set<() => void>();
    const reading = get(`${page}events`, { agent: false }, (response) => {
      assert.equal(response.headers["content-type"], "text/event-stream");
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
        for (const check of wake) check();
      });
    }).on("error", () => {});
    const came = (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        const check = () => pattern.test(text) && resolve();
        wake.add(check);
        check();
      });
    await came(/^event: start\ndata: \{"status":\{"broker":\{"name":"cli-test",/m);
    await came(/^event: status\ndata: .*"moment":\{"time":/m);
    await sandbox.run(["call", "sla", "exit", "3"]);
    await came(/^event: entry\ndata: .*"level":"error",.* process exited with code 3/m);
    await came(/^event: status\ndata: .*"name":"sla","state":"ready","pid":\d+,"restarts":1,/m);
    reading.destroy();
  }));

test("brokkr run --page says in one line that its port is in use, with exit code 2, and starts nothing", () =>
  inSandbox(async (sandbox) => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    assert.ok(typeof address === "object" && address !== null);
    const { port } = address;
    const outcome = await sandbox.run(["run", brokerConfig, "--page", `127.0.0.1:${port}`]);
    const text = `Cannot open the page at 127.0.0.1:${port}: the port is in use, take another one or 0 for any\n`;
    assert.deepEqual(outcome, { code: 2, signal: null, stdout: "", stderr: text });
    other.close();
  }));

test("brokkr run --page is for this machine only without a token", () =>
  inSandbox(async (sandbox) => {
    const open = await sandbox.run(["run", brokerConfig, "--page", "0.0.0.0:0"]);
    assert.deepEqual([open.code, open.stderr], [
      2,
      "Cannot open the page at 0.0.0.0:0: without a token it is for this machine only, " +
      "use 127.0.0.1, or set BROKKR_PAGE_TOKEN or --page-token-file\n",
    ]);
    const short = await sandbox.run(["run", brokerConfig, "--page", "0.0.0.0:0"], {
      env: { BROKKR_PAGE_TOKEN: "short" },
    });
    assert.deepEqual([short.code, short.stderr], [
      2,
      "Cannot use the page's token in BROKKR_PAGE_TOKEN: it must be at least 16 ASCII characters without a space, " +
      "make one with: openssl rand -hex 32\n",
    ]);
    const missing = await sandbox.run(["run", brokerConfig, "--page", "127.0.0.1:0", "--page-token-file", "missing"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /^Cannot read the page's token: .*missing.*, correct --page-token-file\n$/);
    const alone = await sandbox.run(["run", brokerConfig, "--page-token-file", "missing"]);
    assert.deepEqual([alone.code, alone.stderr], [
      2,
      "Cannot use --page-token-file without --page: there is no page to open\n",
    ]);
    const wrong = await sandbox.run(["run", brokerConfig, "--page", "9464"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /must be an address and a port, such as 127\.0\.0\.1:9464/);
  }));

test("brokkr run --page with a token shows nothing without it, and hands it to no process", () =>
  inSandbox(async (sandbox) => {
    const file = join(sandbox.folder, "token");
    writeFileSync(file, `${TOKEN}\n`);
    const env = { BROKKR_PAGE_TOKEN: "another-token-that-the-file-precedes" };
    const broker = await brokerWithPage(sandbox, ["--page-token-file", file], env);
    const page = pageOf(broker);
    for (const path of ["metrics", "events", "page.js", "nothing"]) {
      const { status, headers } = await ask(page + path);
      assert.deepEqual([path, status, headers["www-authenticate"]], [path, 401, 'Bearer realm="brokkr"']);
    }
    const form = await ask(page);
    assert.deepEqual([form.status, form.body.includes('<form action="/" method="get">')], [401, true]);
    assert.match((await ask(`${page}?token=wrong`)).body, /That is not the token/);
    assert.equal((await ask(`${page}metrics`, { authorization: `Bearer ${TOKEN}` })).status, 200);
    const login = await ask(`${page}?token=${TOKEN}`);
    assert.deepEqual([login.status, login.headers["location"]], [303, "/"]);
    const [cookie = ""] = String(login.headers["set-cookie"]).split(";");
    assert.match((await ask(page, { cookie })).body, /<title>brokkr<\/title>/);
    await eventually(async () => (await ask(`${page}healthz`)).status === 200);

    if (process.platform !== "linux") return;
    for (const [, pid] of (await sandbox.run(["status", "--json"])).stdout.matchAll(/"pid":(\d+),"restarts"/g)) {
      assert.equal(readFileSync(`/proc/${pid}/environ`, "utf8").includes("BROKKR_PAGE_TOKEN"), false);
    }
    assert.equal(broker.stderr.includes(TOKEN), false);
  }));

test("brokkr run --page shows the broker of a program, and does not keep its process", () =>
  inSandbox(async (sandbox) => {
    const program = fixture(`program${ending}`);
    const broker = sandbox.start(["run", program, "--page", "localhost:0"]);
    await broker.printed("stdout", "report of 2021-10");
    const page = pageOf(broker);
    await eventually(async () => (await ask(`${page}healthz`)).status === 200);
    assert.match((await ask(`${page}metrics`)).body, /^brokkr_calls_total\{module="sla",outcome="ok"\} 1$/m);
    const reading = get(`${page}events`).on("error", () => {});
    await new Promise((resolve) => reading.once("response", resolve));
    assert.equal((await sandbox.run(["stop"])).code, 0);
    assert.equal((await broker.ended).code, 0);
    reading.destroy();
  }));

test("what brokkr run --page serves for Prometheus is right to promtool", {
  skip: spawnSync("promtool", ["--version"]).status === 0
    ? false
    : "promtool is missing, it is in Debian's package prometheus",
}, () =>
  inSandbox(async (sandbox) => {
    const page = pageOf(await brokerWithPage(sandbox));
    await sandbox.run(["call", "Livestatus", "count", "up"]);
    const { body } = await ask(`${page}metrics`);
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: body, encoding: "utf8" });
    assert.deepEqual([status, stdout, stderr], [0, "", ""]);
    assert.match(body, /^brokkr_cleanup_seconds\{module="Livestatus"\} 0\.\d+$/m);
  }));
