/**
 * One question to a running broker, with the least code: what the command line loads takes longer than the answer. What is out of the
 * ordinary is left to {@linkcode ControlClient}, and so is what only it can read of an answer.
 */

import type { Channel, Clock, Runtime } from "../../runtime/runtime.ts";
import type { BrokerStatus } from "../broker/status.ts";
import { isRecord } from "../checks.ts";
import { messageOf } from "../user_code.ts";
import { VERSION } from "../version.ts";
import {
  AnswerKind,
  CODECS,
  DEFAULT_FRAME_LIMIT,
  FrameFlag,
  FrameReader,
  FrameType,
  HEADER_BYTES,
  LENGTH_BYTES,
  PROTOCOL_VERSION,
  writeHeader,
} from "../wire/frame.ts";
import type { ModuleDescription } from "./describe.ts";

export interface Asker extends Pick<Runtime, "name" | "version" | "pid" | "connect"> {
  readonly clock: Pick<Clock, "timer">;
}

export interface Question {
  readonly command: string;
  /** Plain data of a few bytes: nothing that JSON would lose, and nothing near a limit. */
  readonly params: readonly unknown[];
  /** How long the broker may take. @default for ever */
  readonly timeoutMs?: number | undefined;
}

/** What a broker answered: the frame, and its columns, without what is beside their text. */
export interface Answer {
  readonly flags: number;
  readonly body: Uint8Array;
  readonly columns: readonly unknown[];
}

/** The answer, or why none can come any more. */
export type Outcome = Answer | { readonly lost: string };

/** Where a broker can be asked. */
export interface BrokerPlace {
  readonly broker: string;
  readonly path: string;
}

/** A question that is not to be asked twice. */
export interface Asked extends BrokerPlace {
  readonly outcome: Outcome;
}

/** The broker's time for its hello, and for answers that need no other process. */
export const ANSWER_MS = 10_000;
/** Its time for starting or ending all its processes. */
export const PROCESSES_MS = 10 * 60_000;

/** A broker that runs says hello at once. */
const HELLO_MS = 1_000;

/**
 * Asks `broker`, whose socket is at `path`. Null where nothing was asked.
 *
 * @param progressed gets what comes before the answer. @throws as `connect` does
 */
export async function ask(
  asker: Asker,
  { broker, path }: BrokerPlace,
  question: Question,
  progressed: (answer: Answer) => void = () => {},
): Promise<Outcome | null> {
  const channel = await asker.connect(path);
  return await new Promise((resolve) => {
    let isAsked = false;
    let reason: string | undefined;
    let clear = asker.clock.timer(HELLO_MS, () => end(null));
    const end = (outcome: Outcome | null) => {
      clear();
      resolve(outcome);
      // Not by its end, which both sides would wait for.
      channel.abort();
    };
    const lost = (why: string) => end(isAsked ? { lost: reason ?? why } : null);
    const reader = new FrameReader(DEFAULT_FRAME_LIMIT, (type, flags, body) => {
      if (type === FrameType.hello && !isAsked) {
        if (fieldOf(textOf(body), "protocol") !== PROTOCOL_VERSION) return end(null);
        isAsked = true;
        clear();
        clear = question.timeoutMs === undefined
          ? () => {}
          : asker.clock.timer(question.timeoutMs, () => lost("no answer"));
        send(channel, FrameType.calls, [1, [1], 0, [question.command], [question.params], 0]);
      } else if (type === FrameType.answers) {
        const answer = answerOf(flags, body);
        if (answer.columns[2]?.toString() === `${AnswerKind.progress}`) progressed(answer);
        else end(answer);
      } else if (type === FrameType.close) reason = String(fieldOf(textOf(body), "reason"));
    });
    channel.open({
      data(chunk) {
        try {
          reader.push(chunk);
        } catch (error) {
          lost(messageOf(error));
        }
      },
      drained: () => {},
      closed: (error) => lost(error?.message ?? "the broker ended"),
    });
    const { pid, name, version } = asker;
    const own = { broker, process: "brokkr", pid, runtime: `${name} ${version}`, codecs: CODECS, setup: null };
    send(channel, FrameType.hello, { protocol: PROTOCOL_VERSION, version: VERSION, ...own });
  });
}

/** The value of an answer that JSON says all of; undefined where it is another one. */
export function plainValue(outcome: Outcome | null): unknown {
  if (outcome === null || "lost" in outcome) return undefined;
  const { flags, columns: [ids, , kinds, values] } = outcome;
  const isPlain = !hasParts(flags) && kinds === 0 && Array.isArray(ids) && ids.length === 1 && Array.isArray(values);
  return isPlain ? values[0] : undefined;
}

/** The broker speaks the same protocol, so this check is enough, as is the next one. */
export function isStatus(value: unknown): value is BrokerStatus {
  return isRecord(value) && "broker" in value && Array.isArray(value["modules"]);
}

export function isDescription(value: unknown): value is readonly ModuleDescription[] {
  return Array.isArray(value) && value.every((one) => isRecord(one) && "commands" in one);
}

function answerOf(flags: number, body: Uint8Array): Answer {
  const text = hasParts(flags)
    ? body.subarray(LENGTH_BYTES, LENGTH_BYTES + new DataView(body.buffer, body.byteOffset).getUint32(0))
    : body;
  const columns: unknown = JSON.parse(textOf(text));
  // The memory of the body is used again.
  return { flags, body: Uint8Array.from(body), columns: Array.isArray(columns) ? columns : [] };
}

function hasParts(flags: number): boolean {
  return (flags & FrameFlag.attachments) !== 0;
}

function send(channel: Channel, type: number, value: unknown): void {
  const body = new TextEncoder().encode(JSON.stringify(value));
  const frame = new Uint8Array(HEADER_BYTES + body.length);
  writeHeader(frame, 0, { type, flags: 0, length: body.length });
  frame.set(body, HEADER_BYTES);
  channel.write(frame);
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}

function fieldOf(text: string, name: string): unknown {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
