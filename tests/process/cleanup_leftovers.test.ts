import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { defineModule } from "brokkr";
import { TestBroker } from "./broker_of.ts";

const PROGRAM = new URL("../fixtures/cleanup/leftovers.ts", import.meta.url);
const app = defineModule({ name: "app", commands: { left: () => 0 } });

/** Bun does not tell TCP from other sockets. */
const tcp = "Bun" in globalThis
  ? { server: "socket server", socket: "socket" }
  : { server: "TCP server", socket: "TCP socket" };
const file = `file ${fileURLToPath(PROGRAM).replace(/\.ts$/, import.meta.url.endsWith(".ts") ? ".ts" : ".js")}`;

for (
  const [what, leftovers] of [
    ["", []],
    ["print", []],
    ["timer timer", ["2 × timer"]],
    ["udp process", ["1 × UDP socket", "1 × child process"]],
    ["tcp", [`1 × ${tcp.server}`, `2 × ${tcp.socket}`]],
    ["file watch", ["1 × file watcher", `1 × ${file}`]],
  ] as const
) {
  const skip = /file/.test(what) && process.platform !== "linux" ? "open files are told on Linux only" : false;
  test(`what the program left open at import is named: ${what || "nothing"}`, { skip }, async () => {
    process.env["LEFTOVERS"] = what;
    const t = await TestBroker.start({ program: PROGRAM, modules: [app] });
    try {
      const { modules } = await t.broker.status();
      const named = modules[0]?.cleanup?.leftovers?.map(({ kind, count }) => `${count} × ${kind}`);
      assert.deepEqual(named?.toSorted(), leftovers.toSorted());
      const [line = ""] = t.lines(/^cleanup\.receipt$/);
      assert.equal(/, left over \[(.*)\]$/.exec(line)?.[1] ?? "", named?.join(", "));
    } finally {
      delete process.env["LEFTOVERS"];
      await t.broker.stop();
    }
  });
}
