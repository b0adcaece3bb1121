/**
 * What a process that is kept ready does before it waits: it lives once in memory, from the hello to its first answers. An engine compiles
 * a function when that runs first, which would cost the real life most of its time.
 */

import type { Channel, Runtime } from "../../runtime/runtime.ts";
import { CallClient, DEFAULT_LIMITS } from "../call/client.ts";
import { localChannels } from "../call/local.ts";
import { CallCounters } from "../call/outcomes.ts";
import { defineModule } from "../module/module.ts";
import type { Module } from "../module/definition.ts";
import { outputLimits, supervisionPlan } from "../settings/settings.ts";
import { within } from "../duration.ts";
import { CODECS, DEFAULT_FRAME_LIMIT, FrameType } from "../wire/frame.ts";
import { Link } from "../wire/link.ts";
import { controlFromChild, helloOf, helloText, readHello, type Setup } from "../wire/messages.ts";
import { CLEANUP_DEADLINE_MS } from "./cleanup.ts";
import type { Role } from "./role.ts";

/** A process that does not end its rehearsal in this time waits without. */
const MAX_MS = 5_000;
const CALLS = 3;

/** What the process is meanwhile. */
export interface Part {
  readonly runtime: Runtime;
  readonly role: Role;
  readonly load: (role: Role) => Promise<readonly Module[]>;
}

const NAME = "rehearsal";
const OTHER = defineModule({ name: "other", commands: {}, owns: [() => {}], afterForkCleanup() {} });
const PLAYED = defineModule({ name: NAME, commands: { echo: (value: unknown) => value } });

const SETUP: Setup = {
  wanted: ["cleanup.start", "cleanup.done"],
  frameLimit: DEFAULT_FRAME_LIMIT,
  cleanupMs: CLEANUP_DEADLINE_MS,
  timeoutMs: 1_000,
  retry: "never",
  options: null,
  supervision: supervisionPlan({}),
  concurrency: null,
  queue: null,
  output: outputLimits(undefined),
  names: [],
};

/** @param load what the process has loaded by now: where that is more than one module, it has others to clean. */
export async function rehearse(
  { runtime, role, load }: Part,
  serve: (part: Part, channel: Channel) => void,
): Promise<void> {
  const { clock, ownFiles, thread, tracesPromises } = runtime;
  const [near, far] = localChannels(clock);
  const caller = new CallClient({
    clock,
    reporter: { report() {}, wants: () => false },
    counters: new CallCounters(),
    module: NAME,
    limits: DEFAULT_LIMITS,
    frameLimit: DEFAULT_FRAME_LIMIT,
    thread,
    tracesPromises,
    ownFiles,
  });
  const cleans = (await load(role)).length > 1;
  const calls = async () => {
    for (let n = 0; n < CALLS; n++) {
      await caller.call("echo", [{ id: n, text: "text" }], { target: NAME, timeoutMs: MAX_MS, retry: "never" });
    }
  };
  const played = new Promise<void>((resolve, reject) => {
    const link: Link = new Link(near, clock, {
      frameLimit: DEFAULT_FRAME_LIMIT,
      events: {
        frame(type, flags, body) {
          if (type === FrameType.hello) {
            link.negotiate(readHello(body).codecs);
            const ours = { broker: role.broker, process: role.broker, codecs: CODECS, setup: SETUP };
            link.send(FrameType.hello, helloText(helloOf(runtime, ours)));
          } else if (type === FrameType.answers) caller.answers(flags, body, link);
          else if (type === FrameType.notice && controlFromChild.read(body).kind === "ready") {
            caller.connect(link);
            calls().then(resolve, reject);
          }
        },
        refused() {},
        drained() {},
        closed: () => resolve(),
      },
    });
  });
  serve({
    runtime: withoutTraces(runtime),
    role: { ...role, module: NAME, process: NAME, standby: false },
    load: () => Promise.resolve(cleans ? [OTHER, PLAYED] : [PLAYED]),
  }, far);
  await within(clock, MAX_MS, played, "the rehearsal does not end").catch(() => {});
}

/** A runtime whose process shows nothing of the rehearsal afterwards. */
function withoutTraces(runtime: Runtime): Runtime {
  const env: Runtime["env"] = {
    get: (name) => runtime.env.get(name),
    all: () => runtime.env.all(),
    set() {},
    remove() {},
  };
  const own: Partial<Runtime> = {
    env,
    onSignal: () => () => {},
    refuseExit: () => () => {},
    sharedFiles: () => Promise.resolve(null),
  };
  return new Proxy(runtime, {
    get(target, name) {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
