/**
 * One process at a time: brokers that begin at once look after each other's names one by one.
 *
 * @module
 */

import type { Channel, Runtime } from "../../runtime/runtime.ts";
import { ControlSocketError } from "./control_socket_error.ts";
import { sleep } from "../duration.ts";
import { isLive } from "./live.ts";

/** Beside the folder of the control sockets, so that nobody takes what is in it for a broker. */
const TURN_FOLDER = "brokkr-turns";
/** A turn takes milliseconds. Who has not got one after this time never will. */
const TURN_MS = 10_000;
const PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;
/** Of a name's characters: paths of sockets are short, and two names that share a turn only wait for each other. */
const NAME_LENGTH = 8;

/**
 * Runs `act` while no other process runs one for the same broker. Who wants a turn shows it by a socket that it listens on, and then
 * looks for those of others: where there are none it has the turn, since whoever shows theirs later sees this one. Else all but one
 * withdraw and come again. What the dead left is told by nobody listening, and its name is never used again.
 *
 * @throws {ControlSocketError} where the others do not let it have one.
 */
export async function inTurn<T>(runtime: Runtime, broker: string, act: () => Promise<T>): Promise<T> {
  const { clock } = runtime;
  const deadline = clock.now() + TURN_MS;
  for (let tries = 0;; tries++) {
    const asked = await ask(runtime, broker);
    try {
      let others = await asked.others();
      // Of those who wait the first by name stays, so that one of them is next.
      while (others.length > 0 && others.every((other) => asked.file < other) && clock.now() < deadline) {
        await sleep(clock, PAUSE_MS);
        others = await asked.others();
      }
      if (others.length === 0 && asked.isShown()) return await act();
      if (clock.now() >= deadline) throw tooLong(broker, others[0] ?? asked.file);
    } finally {
      asked.withdraw();
    }
    await sleep(clock, Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** tries) * (0.5 + runtime.random()));
  }
}

async function ask(runtime: Runtime, broker: string) {
  const { pid } = runtime;
  const files = await runtime.files();
  const folder = files.folder(TURN_FOLDER);
  const start = `${broker.slice(0, NAME_LENGTH)}~`;
  const file = `${start}${pid.toString(36)}~${Math.floor(runtime.random() * 36 ** 4).toString(36)}`;
  const listener = await runtime.listen(`${folder}/${file}`, turnAway);
  return {
    file,
    isShown: () => files.list(folder).includes(file),
    withdraw: () => listener.close(),
    async others(): Promise<string[]> {
      const live: string[] = [];
      for (const other of files.list(folder)) {
        if (other === file || !other.startsWith(start)) continue;
        if (await isLive(runtime, `${folder}/${other}`)) live.push(other);
        else files.remove(`${folder}/${other}`);
      }
      return live;
    },
  };
}

function turnAway(channel: Channel): void {
  channel.open({ data: () => {}, drained: () => {}, closed: () => {} });
  channel.close();
}

function tooLong(broker: string, other: string): ControlSocketError {
  const pid = parseInt(other.split("~")[1] ?? "", 36);
  return new ControlSocketError(
    `Cannot start broker "${broker}": process ${pid} has been starting one for ${TURN_MS / 1_000} s, ` +
      `end it and start again`,
  );
}
