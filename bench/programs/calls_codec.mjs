// The floor with brokkr's frames and codec: what is left to what stands between this and brokkr is its guarantees. Every value is
// written and read four times, as in a call; no deadline, retry, limit, counter or line.
import { BodyReader, FrameType, linkTo, RING, sender } from "./framed.mjs";
import { echo } from "./load.mjs";
import { EarlyLeave, measurePair } from "./pair.mjs";

await measurePair(import.meta.url, { answer, caller });

function answer(channel) {
  const reader = new BodyReader();
  const link = linkTo(channel, (_type, flags, body) => {
    const frame = reader.calls(flags, body);
    if (frame === undefined) return;
    const answers = frame.calls.map(({ id, params }) => ({
      id,
      attempt: 1,
      kind: 0,
      value: out.encode(echo(params[0])),
    }));
    out.send((codec) => codec.answers(answers));
    link.flush();
  });
  const out = sender(link, FrameType.answers);
  return new Promise(() => {});
}

function caller(channel) {
  const reader = new BodyReader();
  const waiting = new Array(RING).fill(undefined);
  let out = 0;
  let calls = [];
  let nextId = 1;
  const link = linkTo(channel, (_type, flags, body) => {
    const { ids, values } = reader.answers(flags, body);
    for (let index = 0; index < ids.length; index++) {
      const place = ids[index] % RING;
      waiting[place](values[index]);
      waiting[place] = undefined;
      out--;
    }
  });
  const sends = sender(link, FrameType.calls);
  const early = new EarlyLeave();
  const pack = () => {
    const batch = calls;
    calls = [];
    early.left(out);
    sends.send((codec) => codec.calls(batch, nextId - out));
  };
  const endTurn = () => {
    if (calls.length === 0) return;
    early.endTurn();
    pack();
  };
  return (value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting[id % RING] = resolve;
      out++;
      calls.push({ id, attempt: 1, command: "echo", params: sends.encode([value]), options: null });
      if (calls.length === 1) link.schedule(endTurn);
      if (!early.isDue(calls.length)) return;
      pack();
      link.flush();
    });
}
