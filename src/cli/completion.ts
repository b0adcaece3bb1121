/** `brokkr completion`: the script of a shell, and what it asks for at each Tab: the words that complete the one being typed. */

import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import type { BrokerStatus } from "../core/broker/status.ts";
import { type ControlClient, findBrokers } from "../core/control/client.ts";
import { EVENT_IDS } from "../core/log/events.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { paramOf, type Sorted, sortWords, takesMore } from "./arguments.ts";
import { type ArgsOf, type Command, COMMAND_ROWS } from "./commands.ts";
import { askBroker } from "./connect.ts";
import { isFolder } from "./files.ts";
import { print } from "./output.ts";
import { processRows } from "./status_rows.ts";
import type { Candidates } from "./values.ts";

/** Before `--` a script gives its own name, behind it the words up to the cursor. */
export async function completion(runtime: Runtime, { shell, words }: ArgsOf<"completion">): Promise<void> {
  if (words.length === 0) {
    await print(SCRIPTS[shell]);
    return;
  }
  const found = await completed(runtime, shell === "bash" ? joined(words) : words.map(plain)).catch(() => []);
  // The first line tells bash and zsh whether the rest are files, which they quote and whose folders they continue.
  const kind = shell === "fish" ? "" : found.some(({ isFile }) => isFile) ? "files\n" : "words\n";
  const line = ({ word, about }: Candidate) => about === "" || shell === "bash" ? `${word}\n` : `${word}\t${about}\n`;
  await print(kind + found.map(line).join(""));
}

interface Candidate {
  readonly word: string;
  readonly about: string;
  readonly isFile?: boolean;
}

/** Bash makes words of their own of `=`. */
function joined(words: readonly string[]): string[] {
  return words.filter((word, at) => word !== "=" || at === words.length - 1)
    .map((word) => word === "=" ? "" : plain(word));
}

/** A word as it is typed, without its quotes and backslashes. */
function plain(word: string): string {
  const [, quote, quoted = ""] = /^(['"])(.*)$/s.exec(word) ?? [];
  if (quote !== undefined) return quoted.endsWith(quote) ? quoted.slice(0, -1) : quoted;
  return word.replaceAll(/\\(.)/gs, "$1");
}

async function completed(runtime: Runtime, words: readonly string[]): Promise<readonly Candidate[]> {
  const [name = "", ...typed] = words;
  const last = typed.pop();
  if (last === undefined) {
    const commands = [...COMMAND_ROWS].map(([word, { summary }]) => ({ word, about: summary }));
    const flags = [{ word: "--help", about: "Show the help" }, { word: "--version", about: "Print the version" }];
    return (name.startsWith("-") ? flags : commands).filter(({ word }) => word.startsWith(name));
  }
  const command = COMMAND_ROWS.get(name);
  if (command === undefined) return [];
  if (name === "help") return await completed(runtime, [last]);
  const { expected, given, isOver } = sortWords(command, typed);
  const [, flag = "", begun = ""] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  const attached = flag === "" || isOver ? undefined : paramOf(command, flag)?.[1];
  const isOption = last.startsWith("-") && expected?.flags === undefined && !isOver;
  if (isOption && attached === undefined) return flagsOf(command, given).filter(({ word }) => word.startsWith(last));
  const { value } = attached ?? expected ?? {};
  if (value === undefined) return [];
  const found = await candidatesOf(runtime, value.candidates, { begun: attached ? begun : last, given });
  return attached === undefined ? found : found.map((one) => ({ ...one, word: `${flag}=${one.word}` }));
}

function flagsOf({ params }: Command, given: Sorted["given"]): Candidate[] {
  const open = Object.entries(params).filter(([key, param]) => takesMore(param, given.get(key)?.length ?? 0));
  const all = open.flatMap(([, { flags = [], about }]) => flags.map((word) => ({ word, about: firstSentence(about) })));
  return [...all, { word: "--help", about: "Show the help" }];
}

function firstSentence(text: string): string {
  return text.split(/[.;:] /)[0]?.replace(/\.$/, "") ?? "";
}

async function candidatesOf(
  runtime: Runtime,
  candidates: Candidates,
  { begun, given }: { readonly begun: string; readonly given: Sorted["given"] },
): Promise<readonly Candidate[]> {
  if (candidates instanceof RegExp) return filesAt(begun, candidates);
  if (candidates === "parameter") {
    if (!begun.startsWith("@")) return [];
    return filesAt(begun.slice(1), /\.json$/).map((file) => ({ ...file, word: `@${file.word}` }));
  }
  const words = typeof candidates === "string" ? await live(runtime, candidates, given) : candidates;
  return words.filter((word) => word.startsWith(begun)).map((word) => ({ word, about: "" }));
}

/** Files that match and folders, whose names end with a slash, in the folder of what is typed. */
function filesAt(begun: string, pattern: RegExp): Candidate[] {
  const folder = begun.slice(0, begun.lastIndexOf("/") + 1);
  const start = begun.slice(folder.length);
  const path = folder.replace(/^~\//, `${homedir()}/`);
  const names = readdirSync(path === "" ? "." : path).filter((name) => name.startsWith(start));
  return names.filter((name) => start !== "" || !name.startsWith(".")).sort().flatMap((name) => {
    const isBelow = isFolder(`${path}${name}`);
    if (!isBelow && !pattern.test(name)) return [];
    return [{ word: `${folder}${name}${isBelow ? "/" : ""}`, about: "", isFile: true }];
  });
}

/** What a running broker has; nothing where none can be reached. */
async function live(
  runtime: Runtime,
  what: Exclude<Candidates, RegExp | readonly string[] | "parameter">,
  given: Sorted["given"],
): Promise<readonly string[]> {
  if (what === "event") return EVENT_IDS;
  if (what === "broker") return (await findBrokers(runtime)).map(({ name }) => name);
  return await askBroker(runtime, given.get("broker")?.[0], async (client) => {
    if (what === "command") return await commandsOf(client, given.get("target")?.[0]);
    const { modules, cluster } = await client.status();
    if (what === "process") return processRows({ modules }).map(({ status }) => status.name);
    const names = modules.map(({ name }) => name);
    return what === "module" ? names : [...names, ...targetsOf(cluster)];
  });
}

/** The modules of others, and each of their nodes. */
function targetsOf(cluster: BrokerStatus["cluster"]): string[] {
  const imports = cluster?.imports.filter(({ name }) => !name.includes("@")) ?? [];
  return imports.flatMap(({ name, nodes }) => [name, ...nodes.map((node) => `${name}@${node}`)]);
}

/** Requests of the Model Context Protocol. */
const MCP_METHODS = ["tools/call", "tools/list", "resources/list", "resources/read", "prompts/list", "prompts/get"];

async function commandsOf(client: ControlClient, module = ""): Promise<readonly string[]> {
  const described = await client.describe(module, { quiet: true });
  return described.flatMap(({ kind, commands }) => kind === "mcp" ? MCP_METHODS : commands.map(({ name }) => name));
}

const SCRIPTS: Readonly<Record<ArgsOf<"completion">["shell"], string>> = {
  bash: `# brokkr in bash: source this file in ~/.bashrc
_brokkr() {
  local kind lines
  COMPREPLY=()
  mapfile -t lines < <(brokkr completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
  kind="\${lines[0]}"
  COMPREPLY=("\${lines[@]:1}")
  if [ "$kind" = files ]; then
    compopt -o filenames
    [[ \${#COMPREPLY[@]} = 1 && "\${COMPREPLY[0]}" = */ ]] && compopt -o nospace
  fi
}
complete -F _brokkr brokkr
`,
  zsh: `#compdef brokkr
# brokkr in zsh: write this file as _brokkr into a folder of fpath, or source it after compinit in ~/.zshrc
_brokkr() {
  local -a lines names shown
  local kind line
  lines=("\${(@f)$(brokkr completion zsh -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  kind="$lines[1]"
  for line in "\${(@)lines[2,-1]}"; do
    names+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  if [[ $kind = files ]]; then
    compadd -Q -S '' -- "\${(@q)\${(@M)names:#*/}}"
    compadd -Q -- "\${(@q)\${(@)names:#*/}}"
  else
    compadd -l -d shown -- "\${(@)names}"
  fi
}
if [ "$funcstack[1]" = _brokkr ]; then _brokkr "$@"; else compdef _brokkr brokkr; fi
`,
  fish: `# brokkr in fish: write this file as ~/.config/fish/completions/brokkr.fish
complete -c brokkr -f -a '(brokkr completion fish -- (commandline -opc)[2..] (commandline -ct) 2> /dev/null)'
`,
};
