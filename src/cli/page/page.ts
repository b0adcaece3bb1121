/** `brokkr run --page`: serves a page for browsers, metrics for Prometheus, and a health check. */

import { lookup } from "node:dns/promises";
import type { ServerResponse } from "node:http";
import type { Server } from "node:net";
import { hostname } from "node:os";
import { ControlClient, findBrokers } from "../../core/control/client.ts";
import { shareOfFiles } from "../../core/control/server.ts";
import { messageOf } from "../../core/user_code.ts";
import { VERSION } from "../../core/version.ts";
import { failureCode } from "../../runtime/posix/failure_reason.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { CliError } from "../exit_codes.ts";
import { escapeHtml } from "../logs/html_report.ts";
import { pause } from "../watch_broker.ts";
import { Access, addressText, isLoopback, type PageAddress, readToken } from "./access.ts";
import { BrokerWatch } from "./broker_watch.ts";
import { Connections, Live } from "./connections.ts";
import {
  ICON,
  PAGE_HTML,
  PAGE_SCRIPT,
  PAGE_STYLE,
  REPORT_STYLE,
  UPLOT_LICENSE,
  UPLOT_SCRIPT,
  UPLOT_STYLE,
} from "./embedded.ts";
import type { Start, Step } from "./history.ts";
import { metricsText, PROMETHEUS_TYPE } from "./metrics.ts";
import { type Answer, pageServer, plain, type Route, type Routes } from "./server.ts";

/** Fewer if the process may open few files. */
const MAX_CONNECTIONS = 64;
/** The share for browsers with the page; the rest is left for metrics and health checks. */
const LOOKING = 3 / 4;

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

export interface PageArgs {
  readonly address: PageAddress;
  readonly tokenFile: string | undefined;
}

/**
 * Serves the page from now on; it shows the broker of this process once that runs.
 *
 * @param broker its name, or null if only the program knows it.
 * @throws {CliError} if it can't be served.
 */
export async function openPage(
  runtime: Runtime,
  { address, tokenFile }: PageArgs,
  broker: string | null,
): Promise<void> {
  const token = readToken(tokenFile, runtime.env);
  const ip = await ipOf(address);
  const local = isLoopback(ip);
  if (!local && token === null) {
    const remedy = "use 127.0.0.1, or set BROKKR_PAGE_TOKEN or --page-token-file";
    throw cannotOpen(address, `without a token it is for this machine only, ${remedy}`);
  }
  const limit = await shareOfFiles(runtime, MAX_CONNECTIONS);
  const live = new Live(Math.ceil(limit * LOOKING));
  const watch = new BrokerWatch(runtime.clock, {
    status: (status, moment) => live.send("status", { status, moment } satisfies Step),
    entry: (entry) => live.send("entry", entry),
  });
  let access: Access | undefined;
  const server = pageServer(
    () => {
      const names = [address.host, hostname()].map((name) => name.toLowerCase());
      return access ??= new Access({ token, names, local, port: portOf(server) });
    },
    routesOf(watch, live),
    new Connections(limit, runtime.clock),
  );
  await listen(server, address, ip);
  server.unref();
  runtime.writeError(`The page is at http://${addressText({ ...address, port: portOf(server) })}/\n`);
  void show(runtime, watch, broker).catch((error) => {
    runtime.writeError(`The page cannot show anything new: ${messageOf(error)}\n`);
  });
}

/** Connects again after a loss, and to the next broker of a program. */
async function show(runtime: Runtime, watch: BrokerWatch, broker: string | null): Promise<never> {
  for (;;) await watch.follow(await ownBroker(runtime, broker));
}

function routesOf(watch: BrokerWatch, live: Live): Routes {
  const files = pageFiles().map(([path, type, body]) => [path, (): Answer => ({ type, body })] as const);
  const events = (response: ServerResponse) => {
    if (live.isFull) return plain(503, "Too many browsers show the page");
    const { status, history: { moments }, entries } = watch;
    const first: Start = { status, moments, entries };
    live.add(response, "start", first);
    return null;
  };
  const metrics = async () => {
    const status = await watch.read();
    return status === null
      ? plain(503, "The broker has not started")
      : { type: PROMETHEUS_TYPE, body: metricsText(status) };
  };
  const health = () => watch.isHealthy ? plain(200, "ok") : plain(503, "not ready");
  return {
    paths: new Map<string, Route>([...files, ["/events", events], ["/metrics", metrics], ["/healthz", health]]),
    // The login form needs its style and icon.
    open: new Set(["/healthz", "/page.css", "/icon.svg"]),
  };
}

/** The files of the page: path, type and text. */
function pageFiles(): (readonly [path: string, type: string, body: string])[] {
  const html = PAGE_HTML.replace("<!-- version -->", VERSION).replace("<!-- license -->", escapeHtml(UPLOT_LICENSE));
  return [
    ["/", HTML, html],
    ["/page.css", STYLE, `${REPORT_STYLE}\n${PAGE_STYLE}`],
    ["/page.js", SCRIPT, PAGE_SCRIPT],
    ["/uplot.css", STYLE, UPLOT_STYLE],
    ["/uplot.js", SCRIPT, UPLOT_SCRIPT],
    ["/icon.svg", "image/svg+xml", ICON],
  ];
}

async function ipOf(address: PageAddress): Promise<string> {
  try {
    return (await lookup(address.host)).address;
  } catch (cause) {
    throw cannotOpen(address, `"${address.host}" is no address of this machine`, cause);
  }
}

async function listen(server: Server, address: PageAddress, ip: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address.port, ip, resolve);
    });
  } catch (cause) {
    if (failureCode(cause) === "EADDRINUSE") {
      throw cannotOpen(address, "the port is in use, take another one or 0 for any", cause);
    }
    throw cannotOpen(address, messageOf(cause), cause);
  }
}

function cannotOpen(address: PageAddress, why: string, cause?: unknown): CliError {
  return new CliError(`Cannot open the page at ${addressText(address)}: ${why}`, { cause });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const LOOK_MS = 250;

/** Settles when the broker of this process runs, with the name if it is known; never if the program starts none with a control socket. */
async function ownBroker(runtime: Runtime, known: string | null): Promise<ControlClient> {
  for (;;) {
    for (const { name, path } of await findBrokers(runtime)) {
      if (known !== null && name !== known) continue;
      const client = await ControlClient.connect(runtime, name, path).catch(() => null);
      const status = await client?.status().catch(() => null);
      if (client !== null && status?.broker.pid === runtime.pid) return client;
      client?.close();
    }
    await pause(LOOK_MS);
  }
}
