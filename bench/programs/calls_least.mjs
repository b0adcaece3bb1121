// The least that deadline, retry, kept answers and stacks need, on brokkr's frames and codec: an object for each call and for what
// its handler sees, the time once a frame, an answer kept until it is settled, a promise that an error's stack leads through. No
// limit, cancelling, stream, event or line, and whatever is out of the ordinary ends the program.
import { BodyReader, FrameType, gatherer, linkTo, RING, sender } from "./framed.mjs";
import { echo } from "./load.mjs";
import { measurePair, runtime } from "./pair.mjs";

const REQUEST = { timeoutMs: 1_000, retry: "once" };

class Call {
  id = 0;
  attempt = 1;
  state = "queued";
  params = undefined;
  time = undefined;
  options = null;

  constructor(command, request, resolve) {
    this.command = command;
    this.request = request;
    this.resolve = resolve;
  }
}

class Context {
  isOver = false;
  signal = undefined;

  constructor({ id, attempt, command }) {
    this.id = id;
    this.attempt = attempt;
    this.command = command;
  }
}

await measurePair(import.meta.url, { answer, caller });

function answer(channel) {
  const reader = new BodyReader();
  const kept = new Array(RING).fill(undefined);
  let highest = 0;
  let front = 1;
  const run = (call) => {
    if (call.id <= highest) throw new Error(`call ${call.id} came twice`);
    highest = call.id;
    const context = new Context(call);
    const result = Reflect.apply(echo, context, call.params);
    if (typeof result.then === "function") throw new Error("a promise is out of the ordinary");
    context.isOver = true;
    const answer = { id: context.id, attempt: context.attempt, kind: 0, value: out.encode(result) };
    kept[call.id % RING] = answer;
    return answer;
  };
  const link = linkTo(channel, (_type, flags, body) => {
    const frame = reader.calls(flags, body);
    if (frame === undefined) return;
    for (; front < frame.settledBelow; front++) kept[front % RING] = undefined;
    const answers = frame.calls.map(run);
    out.send((codec) => codec.answers(answers));
    link.flush();
  });
  const out = sender(link, FrameType.answers);
  return new Promise(() => {});
}

function caller(channel) {
  const reader = new BodyReader();
  const waiting = new Array(RING).fill(undefined);
  const latency = new Float64Array(32);
  let out = 0;
  let nextId = 1;
  const settle = (id, value, now) => {
    const call = waiting[id % RING];
    if (call?.id !== id) throw new Error(`answer ${id} is nobody's`);
    waiting[id % RING] = undefined;
    out--;
    call.state = "settled";
    latency[31 - Math.clz32((now - call.time.startedAt) * 1_000)]++;
    call.resolve(value);
  };
  const link = linkTo(channel, (_type, flags, body) => {
    const { ids, values } = reader.answers(flags, body);
    for (let index = 0; index < ids.length; index++) settle(ids[index], values[index], link.receivedAt);
  });
  const sends = sender(link, FrameType.calls);
  const pack = (calls) => {
    const startedAt = runtime.clock.now();
    const time = { startedAt, endsAt: startedAt + REQUEST.timeoutMs };
    for (const call of calls) call.time = time;
    sends.send((codec) => codec.calls(calls, nextId - out));
  };
  const gather = gatherer(link, { out: () => out, pack });
  let taken;
  const take = (resolve) => taken = resolve;
  const call = (value) => {
    const promise = new Promise(take);
    const call = new Call("echo", REQUEST, taken);
    call.params = sends.encode([value]);
    call.id = nextId++;
    call.state = "sent";
    waiting[call.id % RING] = call;
    out++;
    gather(call);
    return promise;
  };
  // Where the engine does not follow promises, only an async function leads an error's stack to who awaits it.
  return runtime.tracesPromises ? call : async (value) => {
    const outcome = await call(value);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
}
