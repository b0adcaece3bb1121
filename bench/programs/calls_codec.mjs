// The floor with brokkr's frames and codec: what is left to what stands between this and brokkr is its guarantees. Every value is
// written and read four times, as in a call; no deadline, retry, limit, counter or line.
import { BodyReader, FrameType, gatherer, linkTo, RING, sender } from "./framed.mjs";
import { echo } from "./load.mjs";
import { measurePair } from "./pair.mjs";

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
  const pack = (calls) => sends.send((codec) => codec.calls(calls, nextId - out));
  const gather = gatherer(link, { out: () => out, pack });
  return (value) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting[id % RING] = resolve;
      out++;
      gather({ id, attempt: 1, command: "echo", params: sends.encode([value]), options: null });
    });
}
