/**
 * Files of MCP servers, in the format that the clients of the Model Context Protocol share: `mcpServers`, or `servers` in VS Code, has a
 * server by each name. Keys that only a client understands are left alone.
 */

import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { closestMatch, inspect, isRecord } from "../../core/checks.ts";
import { isName, NAME_RULE } from "../../core/settings/table.ts";
import { readText } from "./config_file.ts";
import { ConfigDocument, type KeyPath, type Problem } from "./document.ts";
import type { ProgramKeys } from "./file_keys.ts";

/** A server that brokkr can run: `${…}` in it is not expanded. */
export interface McpServer {
  readonly name: string;
  /** Where it stands. */
  readonly place: KeyPath;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export function isMcpFile(document: ConfigDocument): boolean {
  return rootKey(document) !== undefined;
}

/** The key that has the servers. */
function rootKey(document: ConfigDocument): "mcpServers" | "servers" | undefined {
  const keys = document.keys([]);
  if (keys.includes("modules")) return undefined;
  if (keys.includes("mcpServers")) return "mcpServers";
  return keys.includes("servers") && !keys.includes("name") ? "servers" : undefined;
}

/** Where the servers of `file` start, and what their paths are relative to: the project's folder, where an editor keeps the file in its own. */
export function serversFolder(file: string): string {
  const folder = dirname(resolve(file));
  return [".vscode", ".cursor"].includes(basename(folder)) ? dirname(folder) : folder;
}

/** The name of a control socket must leave room for its folder. */
const MAX_NAME = 32;

/** The name of a file or folder, made one of a broker. */
export function brokerName(path: string, otherwise = "mcp"): string {
  const name = basename(path).replace(/^\.+/, "").replace(/\.jsonc?$/, "");
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "").slice(0, MAX_NAME) || otherwise;
}

/** What is wrong goes to the document's faults; servers that are reached over HTTP are `leftOut`, and those that are disabled just so. */
export function readServers(document: ConfigDocument): { servers: McpServer[]; leftOut: Problem[] } {
  const key = rootKey(document) ?? "mcpServers";
  const root = document.value([key]);
  const servers: McpServer[] = [];
  const leftOut: Problem[] = [];
  if (!isRecord(root)) {
    document.refuse([key], `${key} must be an object of servers by name, and it is ${inspect(root)}`);
    return { servers, leftOut };
  }
  for (const name of document.keys([key])) {
    const place = [key, name];
    const server = document.value(place);
    const wrong = (path: KeyPath, text: string) => {
      document.refuse([...place, ...path], `${[...place, ...path].join(".")} ${text}`);
    };
    if (!isName(name)) document.refuseKey(place, `the name of a server must be ${NAME_RULE}, as it is called by it`);
    if (!isRecord(server)) {
      wrong([], `must be an object, and it is ${inspect(server)}`);
      continue;
    }
    const { command, args = [], env = {}, cwd = ".", url, type, disabled } = server;
    if (disabled === true) continue;
    if (isOverHttp(type) || (command === undefined && url !== undefined)) {
      leftOut.push(document.atKey(place, `server "${name}" is left out: ${HTTP}`));
      continue;
    }
    if ("envFile" in server) wrong(["envFile"], 'is not read, name its variables in "env"');
    for (const key of Object.keys(server)) {
      const meant = KEYS.includes(key) ? null : closestMatch(key, KEYS.filter((known) => !(known in server)));
      if (meant !== null) document.refuseKey([...place, key], `unknown key "${key}": did you mean "${meant}"`);
    }
    if (command === undefined) wrong([], "has neither command nor url, add the command that starts the server");
    else if (typeof command !== "string" || command === "" || command.includes("\0")) {
      wrong(["command"], `must be an executable, and it is ${inspect(command)}`);
    } else if (!isTexts(args)) wrong(["args"], "must be a list of texts");
    else if (!isTextsByName(env)) wrong(["env"], "must be an object of texts by name");
    else if (typeof cwd !== "string" || cwd === "") wrong(["cwd"], `must be a path, and it is ${inspect(cwd)}`);
    else servers.push({ name, place, command, args, env, cwd });
  }
  return { servers, leftOut };
}

const KEYS = ["command", "args", "env", "cwd", "url", "type", "disabled", "envFile"];

const HTTP = "brokkr runs servers that speak over standard input and output, and this one is reached over HTTP; " +
  "give it the command of a bridge to it";

function isOverHttp(type: unknown): boolean {
  return typeof type === "string" && /http|sse|ws/i.test(type);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isTextsByName(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.entries(value).every(([key, text]) => /^[^=\0]+$/.test(key) && isText(text));
}

function isText(value: unknown): boolean {
  return typeof value === "string" && !value.includes("\0");
}

/** The servers of `file` as modules of a configuration in the folder `target`. @throws {ConfigError} */
export async function serversAsModules(
  file: string,
  target: string,
): Promise<{ modules: Record<string, ProgramKeys>; leftOut: readonly Problem[] }> {
  const document = new ConfigDocument(file, await readText(file));
  if (!isMcpFile(document)) {
    document.refuse([], 'it has neither "mcpServers" nor "servers", name a file of MCP servers');
  }
  if (document.faults.length > 0) throw document.error();
  const { servers, leftOut } = readServers(document);
  const folder = serversFolder(file);
  const inTarget = (path: string) => relative(target, resolve(folder, path)) || ".";
  const literal = (text: string, path: KeyPath) => {
    const [variable] = text.match(new RegExp(VARIABLE, "")) ?? [];
    if (variable === undefined) return text;
    const remedy = 'write the value, or run this file itself with "brokkr run"';
    document.refuse(path, `${variable} is for files of MCP servers, brokkr.json has none: ${remedy}`);
    return text;
  };
  const modules = servers.map(({ name, place, command, args, env, cwd }): [string, ProgramKeys] => {
    const values = Object.entries(env).map(([key, value]): [string, string | true] => {
      return [key, value === `\${${key}}` ? true : literal(value, [...place, "env", key])];
    });
    const path = inTarget(cwd);
    return [name, {
      command: command.includes("/") && !isAbsolute(command) ? inTarget(command).replace(/^(?=[^.])/, "./") : command,
      ...(args.length === 0 ? {} : { args: args.map((arg, index) => literal(arg, [...place, "args", index])) }),
      protocol: "mcp",
      ...(values.length === 0 ? {} : { env: Object.fromEntries(values) }),
      ...(path === "." ? {} : { cwd: path }),
    }];
  });
  if (modules.length === 0) document.faults.push(...leftOut);
  if (document.faults.length > 0) throw document.error();
  return { modules: Object.fromEntries(modules), leftOut };
}

const VARIABLE = /\$\{(?:env:)?([A-Za-z_]\w*)(?::-([^}]*))?\}|\$\{(?:input|command|config):[^}]*\}/g;

/** `text` with the value of each `${NAME}` or `${env:NAME}`, or the default in `${NAME:-default}` where that is unset or empty. */
export function expanded(
  text: string,
  get: (name: string) => string | undefined,
): {
  readonly value: string;
  /** What to do about the first one that has no value. */
  readonly missing: string | null;
} {
  let missing: string | null = null;
  const value = text.replaceAll(VARIABLE, (written, name: string | undefined, otherwise: string | undefined) => {
    if (name === undefined) {
      missing ??= `${written} is what only an editor knows: write \${NAME}, and set the variable NAME`;
      return "";
    }
    const found = get(name);
    if (found !== undefined && (found !== "" || otherwise === undefined)) return found;
    if (otherwise === undefined) missing ??= missingText(name);
    return otherwise ?? "";
  });
  return { value, missing };
}

function missingText(name: string): string {
  return `environment variable "${name}" is not set: set it, or give it a default as in \${${name}:-default}`;
}
