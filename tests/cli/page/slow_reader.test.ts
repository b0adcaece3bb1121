import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ControlClient } from "../../../src/core/control/client.ts";
import { detectRuntime } from "../../../src/runtime/detect.ts";
import { fixture, inSandbox } from "../cli_process.ts";
import { pageOf } from "./page_of.ts";

/** 40 MB: more than the system keeps for a socket, and the 8 MiB that a reader may be behind. */
const ROUNDS = 20;
const RECORDS = 200;
const TEXT = "x".repeat(9_900);

/** A call that times out has lines of its own, which would be counted. */
const PATIENT = { timeoutMs: 60_000 };

const ENTRY = "event: entry\n";

/** A browser that looks at the page, as its socket. */
class Looker {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  /** Lines of the log that came. */
  entries = 0;
  #tail = "";
  #waiting: (() => void) | undefined;

  constructor(url: URL) {
    this.socket = createConnection(Number(url.port), url.hostname);
    this.socket.write(`GET /events HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
    this.socket.on("error", () => {});
    this.ended = once(this.socket, "close");
    this.socket.on("data", (chunk) => {
      const text = this.#tail.slice(1 - ENTRY.length) + chunk.toString("latin1");
      this.entries += text.split(ENTRY).length - 1;
      this.#tail = (this.#tail + chunk.toString("latin1")).slice(-100_000);
      this.#waiting?.();
    });
  }

  /** Settles when the last of what came has it. */
  async saw(text: string): Promise<void> {
    while (!this.#tail.includes(text)) await new Promise<void>((resolve) => this.#waiting = resolve);
  }
}

test("a page that is not read is cut off when it is 8 MiB behind, and nobody else loses anything", () =>
  inSandbox(async (sandbox) => {
    const broker = await sandbox.broker(["run", fixture("talker/brokkr.json"), "--page", "127.0.0.1:0"]);
    const url = new URL(pageOf(broker));
    const client = await ControlClient.connect(await detectRuntime(), "talking", join(sandbox.sockets, "talking.sock"));
    const [slow, quick] = [new Looker(url), new Looker(url)];
    await Promise.all([slow.saw("event: status"), quick.saw("event: status")]);
    // The page hears of the start a little later than standard error.
    await quick.saw("The broker is ready");
    slow.socket.pause();
    const before = quick.entries;
    for (let round = 1; round <= ROUNDS; round++) {
      await client.call("talker", "say", [TEXT, RECORDS], PATIENT);
      await client.call("talker", "say", [`end of round ${round}`, 1], PATIENT);
      await quick.saw(`end of round ${round}`);
    }
    assert.equal(quick.entries - before, ROUNDS * (RECORDS + 1));
    slow.socket.resume();
    await slow.ended;
    assert.ok(slow.entries < quick.entries, `${slow.entries}`);
    const again = new Looker(url);
    await again.saw("event: status");
    for (const { socket } of [quick, again]) socket.destroy();
    client.close();
    broker.kill("SIGTERM");
    assert.equal((await broker.ended).code, 0);
  }));
