/** The HTTP server of the page: read-only, with access control. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSocketServer, type Server, type Socket } from "node:net";
import type { Access } from "./access.ts";
import type { Connection, Connections } from "./connections.ts";
import { LOGIN_HTML } from "./embedded.ts";

/** Sent with every response: nothing is loaded from elsewhere, no text of a log can become a script, and nothing is cached. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

export interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

/** Null if the route has written the response itself. */
export type Route = (response: ServerResponse) => Promise<Answer | null> | Answer | null;

export interface Routes {
  readonly paths: ReadonlyMap<string, Route>;
  /** Paths without data, which need no token. */
  readonly open: ReadonlySet<string>;
}

export function pageServer(access: () => Access, routes: Routes, connections: Connections): Server {
  const server = createServer(async (request, response) => {
    const connection = connections.requested(request.socket, response);
    if (connection === undefined) return;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const answer = await answerTo(request, response, { access: access(), routes, connection });
    if (answer === null) connection.follows = true;
    else response.writeHead(answer.status ?? 200, { "Content-Type": answer.type }).end(answer.body);
  });
  server.on("connection", (socket: Socket) => {
    // A connection does not keep the process alive.
    socket.unref();
    connections.add(socket);
  });
  // A connection without a request is closed.
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  // Bun's HTTP server reports a connection only with its first request.
  const listener = "Bun" in globalThis
    ? createSocketServer((socket) => void server.emit("connection", socket))
    : server;
  // The system may refuse to hand over a connection, as it does without a free descriptor.
  return listener.on("error", () => {});
}

function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  { access, routes, connection }: {
    readonly access: Access;
    readonly routes: Routes;
    readonly connection: Connection;
  },
): Promise<Answer | null> | Answer | null {
  if (request.method !== "GET") {
    response.setHeader("Allow", "GET");
    return plain(405, "Only GET is answered: nothing can be changed from here");
  }
  const url = urlOf(request);
  if (url === null) return plain(400, "The request names no path");
  const origin = access.origin(request);
  if (origin.kind === "refused") return plain(403, `Refused: ${origin.why}`);
  const route = routes.paths.get(url.pathname);
  if (!routes.open.has(url.pathname)) {
    const secret = access.secret(request, url);
    if (secret.kind === "login") {
      response.setHeader("Set-Cookie", secret.cookie);
      response.setHeader("Location", "/");
      return plain(303, "Known");
    }
    if (secret.kind !== "allowed") return unknown(response, url);
    connection.isKnown = true;
  }
  return route === undefined ? plain(404, `Nothing exists at ${JSON.stringify(url.pathname)}`) : route(response);
}

function unknown(response: ServerResponse, url: URL): Answer {
  response.setHeader("WWW-Authenticate", 'Bearer realm="brokkr"');
  if (url.pathname !== "/") return plain(401, "The token is missing or wrong");
  const alert = url.searchParams.has("token") ? '<p role="alert">That is not the token.</p>' : "";
  const body = LOGIN_HTML.replace("<!-- alert -->", alert);
  return { status: 401, type: "text/html; charset=utf-8", body };
}

function urlOf({ url = "/" }: IncomingMessage): URL | null {
  return URL.canParse(url, "http://page") ? new URL(url, "http://page") : null;
}

export function plain(status: number, text: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}
