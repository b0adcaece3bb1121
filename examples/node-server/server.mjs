// An HTTP server as it may exist for years, with a broker inside. Plain JavaScript for Node 20 and newer.

import { createServer } from "node:http";
import process from "node:process";
import { Broker } from "brokkr";
import { numbers } from "./numbers.mjs";
import { httpStatus } from "./status.mjs";

// Before the server listens: the processes that are made from this program never come further than this line.
const broker = await Broker.start({ name: "node-server", modules: [numbers], logLevel: "warning" });

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const left = new AbortController();
  response.on("close", () => left.abort());
  try {
    const answer = await route(url, left.signal);
    send(response, answer === undefined ? 404 : 200, answer ?? { error: "no such page" });
  } catch (error) {
    send(response, httpStatus(error), { error: error.message, code: error.code ?? null });
  }
});

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port} is ready`);
});

process.once("SIGTERM", shutdown);
process.once("SIGINT", shutdown);

async function route({ pathname, searchParams }, signal) {
  switch (pathname) {
    case "/primes":
      return {
        primes: await broker.call(numbers, "count_primes", [Number(searchParams.get("below"))], {
          timeoutMs: 10_000,
          signal,
        }),
      };
    case "/crash":
      return await broker.call(numbers, "crash", [], { signal });
    case "/health":
      return {
        modules: (await broker.status()).modules.map(({ name, state, restarts }) => ({ name, state, restarts })),
      };
  }
}

function send(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body) + "\n");
}

/** First no new requests, then the answers that are due, then the processes. */
async function shutdown() {
  await new Promise((resolve) => server.close(resolve));
  await broker.stop();
  console.log("stopped in good order");
}
