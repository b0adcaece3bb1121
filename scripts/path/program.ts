/** A broker and its module, of which each can say which files had a function executed since it was asked to look. */

import { Session } from "node:inspector";

const { inspected, runs } = { inspected: Deno.args[0], runs: 1_000 };
/** Longer than a process takes to become ready. */
const READY_MS = 1_000;
const session = new Session();
session.connect();
await post("Profiler.enable");
// A new process is looked at from its first line on, and says what it ran to become ready.
await look();
const report = Deno.env.get("PATH_REPORT");
if (report !== undefined) {
  setTimeout(async () => await Deno.writeTextFile(report, JSON.stringify(await seen())), READY_MS);
}
const { Broker, defineModule } = await import("../../mod.ts");

const echo = defineModule({
  name: "echo",
  commands: { echo: (value: unknown) => value, look, seen },
});
const broker = await Broker.start({ name: "path", modules: [echo], log: () => {} });
const value = { name: "host-1", state: "up", checks: [1, 2, 3] };

await calls();
const files = new Set(inspected === "restart" ? await restart() : await call());
await broker.stop();
console.log(JSON.stringify([...files].sort()));

async function call(): Promise<string[]> {
  await broker.call(echo, "look");
  await look();
  await calls();
  return [...await seen(), ...await broker.call(echo, "seen")];
}

/** Without a call, which would count as a part of it. */
async function restart(): Promise<string[]> {
  const path = await Deno.makeTempFile();
  Deno.env.set("PATH_REPORT", path);
  await look();
  await broker.restart("echo");
  const own = await seen();
  let text = "";
  while (text === "") {
    await new Promise((resolve) => setTimeout(resolve, READY_MS));
    text = await Deno.readTextFile(path);
  }
  await Deno.remove(path);
  const ofChild: string[] = JSON.parse(text);
  return [...own, ...ofChild];
}

async function calls(): Promise<void> {
  for (let at = 0; at < runs; at++) await broker.call(echo, "echo", [value]);
}

async function look(): Promise<void> {
  await post("Profiler.stopPreciseCoverage");
  await post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
}

interface Coverage {
  readonly result: readonly { readonly url: string; readonly functions: readonly Counted[] }[];
}

interface Counted {
  readonly functionName: string;
  readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
}

/** The files of which a function ran; that a file was loaded does not count. */
async function seen(): Promise<string[]> {
  const { result } = await post<Coverage>("Profiler.takePreciseCoverage");
  return result.filter(({ functions }) => functions.some(ran)).map(({ url }) => url);
}

function ran({ ranges: [whole] }: Counted): boolean {
  return whole !== undefined && whole.startOffset > 0 && whole.count > 0;
}

function post<Result>(method: string, params: object = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => error === null ? resolve(result as Result) : reject(error));
  });
}
