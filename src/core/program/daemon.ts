/** One run of a program that nobody talks to, from its parent's side: a daemon, or a job that ends by itself. */

import type { OutputSink, SpawnedProcess } from "../../runtime/runtime.ts";
import type { SessionParts } from "../child/child_spec.ts";
import { ProcessSession } from "../child/session.ts";
import { sleep } from "../duration.ts";
import type { ProgramPlan } from "../module/definition.ts";

const LAST_BYTES_MS = 100;
/** One that waits, for a network or another program, keeps no processor busy: after this time others may start beside it. */
const COSTLY_START_MS = 2_000;
/** How long one attempt waits for an answer, and the pause before the next. */
const ATTEMPT_MS = 1_000;
const PAUSE_MS = 100;

export class DaemonSession extends ProcessSession<SpawnedProcess> {
  readonly link = undefined;
  readonly heardAt = 0;
  readonly ping = null;
  readonly #plan: ProgramPlan;
  #state: "starting" | "ready" | "ending" = "starting";
  #wasReady = false;
  #clearCostly: (() => void) | undefined;

  constructor(parts: SessionParts, plan: ProgramPlan) {
    super(parts, { group: true, lastBytesMs: LAST_BYTES_MS });
    this.#plan = plan;
  }

  /** There is no message that asks it: the signal does. */
  drain(): void {
    this.#state = "ending";
    this.terminate();
  }

  /** A database may be recovering. */
  override giveUp(why: string): void {
    this.#state = "ending";
    this.terminate(why);
  }

  send(): void {}

  protected override async create(
    { group, output }: { readonly group: boolean; readonly output: OutputSink },
  ): Promise<SpawnedProcess> {
    const { parent, env, cwd } = this.parts.spec;
    return await parent.runtime.spawnDaemon(this.#plan.command, { env: env(""), cwd: cwd(), group, output });
  }

  protected override connect(): void {
    const { parent: { runtime } } = this.parts.spec;
    this.#clearCostly = runtime.clock.timer(COSTLY_START_MS, () => this.parts.events.cleaned());
    // Those that wait for the spawn learn first that there is a process.
    runtime.clock.soon(() => void this.#whenReady());
  }

  protected override readonly isOpen = false;

  protected override exited(): void {
    this.#clearCostly?.();
    // A job may end before its parent looks.
    if (this.#plan.ready === null) this.#ready();
    this.#state = "ending";
  }

  protected override disconnect(): void {}

  protected override get end() {
    return { why: this.why, cleaning: null, wasReady: this.#wasReady };
  }

  async #whenReady(): Promise<void> {
    const { runtime } = this.parts.spec.parent;
    const { ready } = this.#plan;
    while (ready !== null && this.#state === "starting" && !await runtime.answers(ready, ATTEMPT_MS)) {
      await sleep(runtime.clock, PAUSE_MS);
    }
    this.#ready();
  }

  #ready(): void {
    if (this.#state !== "starting") return;
    this.#state = "ready";
    this.#wasReady = true;
    this.#clearCostly?.();
    this.parts.events.ready(null);
  }
}
