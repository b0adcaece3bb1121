/** The cluster of a broker, checked. */

import {
  CLUSTER,
  type ClusterAuthSettings,
  type ClusterSettings,
  type ClusterTlsSettings,
} from "../settings/settings.ts";
import { inspect } from "../checks.ts";
import { checkName, checkTable, isName } from "../settings/table.ts";
import type { Exports } from "./exports.ts";
import type { ClusterConnection, ConnectPubSub } from "./pub_sub.ts";

export interface ClusterPlan {
  readonly name: string;
  readonly node: string;
  readonly exports: Exports;
  readonly imports: readonly string[];
  readonly lostAfterMs: number;
  readonly connect: ConnectPubSub;
}

/** What of a cluster's settings is wrong with the modules of its broker. */
export interface ClusterContradiction {
  /** Below `cluster`. */
  readonly path: readonly (string | number)[];
  /** Whether the key itself is meant, or its value. */
  readonly part: "key" | "value";
  /** What follows the name of the place. */
  readonly text: string;
}

/** @throws {TypeError} that names the option, what it is and what it should be. */
export async function clusterPlan(
  { settings, prepare, connect }: ClusterConnection,
  broker: string,
  modules: readonly string[],
): Promise<ClusterPlan> {
  checkTable("Option cluster: ", CLUSTER, settings);
  const [wrong] = clusterContradictions(settings, broker, modules);
  if (wrong !== undefined) throw new TypeError(`Option cluster: ${wrong.path.join(".")} ${wrong.text}`);
  const host = await prepare();
  const node = settings.node ?? checkName("Option cluster: node, by default the host's name,", host);
  const { name, exports = {}, imports = [], lostAfterMs = CLUSTER.lostAfterMs.default } = settings;
  const allowed = Object.entries(exports).flatMap(([module, commands]) =>
    commands === false ? [] : [[module, commands] as const]
  );
  return { name, node, exports: new Map(allowed), imports, lostAfterMs, connect };
}

export function clusterContradictions(
  { exports = {}, imports = [], servers, auth = {}, tls = {} }: Partial<ClusterSettings>,
  broker: string,
  modules: readonly string[],
): ClusterContradiction[] {
  const found: ClusterContradiction[] = [];
  if (servers?.length === 0) found.push({ path: ["servers"], part: "value", text: "must name one server at least" });
  for (const [index, server] of (servers ?? []).entries()) {
    const at = { path: ["servers", index], part: "value" } as const;
    // What stands there is a secret.
    if (server.includes("@")) found.push({ ...at, text: "must have no user or token in it: set cluster.auth" });
    else if (!isAddress(server)) {
      found.push({ ...at, text: `must be an address such as nats://HOST:4222, and it is ${inspect(server)}` });
    }
  }
  for (const module of Object.keys(exports)) {
    if (modules.includes(module)) continue;
    found.push({ path: ["exports", module], part: "key", text: "names no module of this broker, remove it" });
  }
  for (const [index, module] of imports.entries()) {
    const at = { path: ["imports", index], part: "value" } as const;
    if (!isName(module)) found.push({ ...at, text: "must be the name of a module of other brokers" });
    if (modules.includes(module)) {
      found.push({ ...at, text: `is "${module}", which this broker has itself: a name is either local or imported` });
    }
    if (module === broker) found.push({ ...at, text: `is "${module}", the name of this broker` });
  }
  return [...found, ...contradictionsOfAuth(auth), ...contradictionsOfTls(tls)];
}

const ADDRESS = /^(?:(?:nats|tls):\/\/)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/:@,?#[\]]+)(?::(\d{1,5}))?\/?$/;

/** Of what is none the client takes a part for the port, or tries it for ever. */
function isAddress(server: string): boolean {
  const [found, port = "4222"] = ADDRESS.exec(server) ?? [];
  return found !== undefined && Number(port) > 0 && Number(port) < 65_536;
}

const WAYS = ["creds", "nkey", "userEnv", "tokenEnv"] as const;

function contradictionsOfAuth(auth: ClusterAuthSettings): ClusterContradiction[] {
  const [first, second] = WAYS.filter((way) => auth[way] !== undefined);
  if (first !== undefined && second !== undefined) {
    return [{ path: ["auth", second], part: "value", text: `contradicts auth.${first}: keep one of them` }];
  }
  return inPair("auth", auth, ["userEnv", "passwordEnv"]);
}

function contradictionsOfTls(tls: ClusterTlsSettings): ClusterContradiction[] {
  return inPair("tls", tls, ["cert", "key"]);
}

function inPair<K extends string>(
  group: string,
  settings: Partial<Record<K, string>>,
  [one, other]: readonly [K, K],
): ClusterContradiction[] {
  if ((settings[one] === undefined) === (settings[other] === undefined)) return [];
  const [there, missing] = settings[one] === undefined ? [other, one] : [one, other];
  return [{ path: [group, there], part: "value", text: `needs ${group}.${missing} too, add it` }];
}
