/** The runs of programs of other languages, from their parent's side; here of those that nobody talks to: daemons, and jobs that end. */

import type { OutputSink, SpawnedProcess } from "../../runtime/runtime.ts";
import type { SessionParts } from "../child/child_spec.ts";
import { ProcessSession } from "../child/session.ts";
import { sleep } from "../duration.ts";
import type { ProgramPlan } from "../module/definition.ts";

const LAST_BYTES_MS = 100;
/** One that waits, for a network, a download or another program, keeps no processor busy: then others may start beside it. */
const COSTLY_START_MS = 2_000;
/** How long one attempt waits for an answer, and the pause before the next. */
const ATTEMPT_MS = 1_000;
const PAUSE_MS = 100;

export abstract class ForeignSession<P extends SpawnedProcess> extends ProcessSession<P> {
  protected override readonly isShared = true;
  protected readonly plan: ProgramPlan;
  protected state: "starting" | "ready" | "ending" = "starting";
  #wasReady = false;
  #clearCostly: (() => void) | undefined;

  constructor(parts: SessionParts, plan: ProgramPlan) {
    super(parts, { group: true, lastBytesMs: LAST_BYTES_MS });
    this.plan = plan;
  }

  /** Control messages mean nothing to it. */
  send(): void {}

  /**
   * By SIGTERM first: a database may be recovering, and npx that is killed while it unpacks leaves a folder from which that server never
   * starts again.
   */
  override giveUp(why: string | null = null): void {
    this.state = "ending";
    this.terminate(why);
  }

  protected begin(greet: () => Promise<void>): void {
    const { clock } = this.parts.spec.parent.runtime;
    this.#clearCostly = clock.timer(COSTLY_START_MS, () => this.parts.events.cleaned());
    // Those that wait for the spawn learn first that there is a process.
    clock.soon(() => void greet());
  }

  protected becomeReady(): void {
    if (this.state !== "starting") return;
    this.state = "ready";
    this.#wasReady = true;
    this.#clearCostly?.();
    this.parts.events.ready(null);
  }

  protected override exited(): void {
    this.state = "ending";
    this.#clearCostly?.();
  }

  protected override get end() {
    return { why: this.why, cleaning: null, wasReady: this.#wasReady };
  }
}

export class DaemonSession extends ForeignSession<SpawnedProcess> {
  readonly link = undefined;
  readonly heardAt = 0;
  readonly ping = null;

  /** There is no message that asks it: the signal does. */
  drain(): void {
    this.giveUp();
  }

  protected override async create(
    { group, output }: { readonly group: boolean; readonly output: OutputSink },
  ): Promise<SpawnedProcess> {
    const { parent, env, cwd } = this.parts.spec;
    return await parent.runtime.spawnDaemon(this.plan.command, { env: env(""), cwd: cwd(), group, output });
  }

  protected override connect(): void {
    this.begin(() => this.#whenReady());
  }

  protected override readonly isOpen = false;

  protected override exited(): void {
    // A job may end before its parent looks.
    if (this.plan.ready === null) this.becomeReady();
    super.exited();
  }

  protected override disconnect(): void {}

  async #whenReady(): Promise<void> {
    const { runtime } = this.parts.spec.parent;
    const { ready } = this.plan;
    while (ready !== null && this.state === "starting" && !await runtime.answers(ready, ATTEMPT_MS)) {
      await sleep(runtime.clock, PAUSE_MS);
    }
    this.becomeReady();
  }
}
