/**
 * What ends the processes of a broker that is killed: a small shell outlives it just long enough to kill them, and
 * the one of the next broker kills those that even that one missed.
 */

import type { CommandProcess, Runtime } from "../../runtime/runtime.ts";
import type { EventFields } from "../log/events.ts";
import { messageOf } from "../user_code.ts";
import { within } from "../duration.ts";
import type { Descendants } from "../settings/settings.ts";

/** A guard that does not get ready in this time must not keep the broker from its start. */
const READY_MS = 2_000;
/** A guard looks through all processes at its end, a few times; this is many times as long as that takes. */
const END_MS = 5_000;
/** From one try to start another guard to the next: the first pause, and the longest. */
const AGAIN_MS = 1_000;
const MAX_AGAIN_MS = 30_000;

export interface GuardOptions {
  readonly runtime: Runtime;
  readonly broker: string;
  /** Whether what a dead broker of the same name left behind is killed, and a file is kept for the next one. */
  readonly sweep: boolean;
  /** There is no guard, and none could be started. */
  readonly unguarded: (lost: EventFields["broker.unguarded"]) => void;
  readonly orphan: (found: EventFields["process.orphan"]) => void;
}

const STANDBY = "standby";

/** One run of a module's process and all that it starts. */
interface Tree {
  /** The mark in the environment of each of them. */
  readonly name: string;
  readonly module: string;
  readonly descendants: Descendants;
}

export class Guard {
  readonly #options: GuardOptions;
  /** In the environment of each process of this broker, and of no other broker's, ever. */
  readonly #id: string;
  readonly #trees = new Map<string, Tree>();
  readonly #groups = new Map<number, Tree>();
  #lives = 0;
  #shell: CommandProcess | undefined;
  #starting: Promise<void> | undefined;
  #ready: () => void = () => {};
  #text = "";
  #closed = false;
  #clearPause = () => {};
  /** Tries in a row that gave no guard that watches. */
  #failures = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
    const { pid, clock } = options.runtime;
    const parts = [pid, Math.round(clock.wall()), Math.floor(Math.random() * 2 ** 32)];
    this.#id = parts.map((part) => part.toString(36)).join("-");
  }

  /** Settles when the guard watches; from then on everything added dies with this process. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /** The mark of a new life of `module`, by which what it starts is found. It holds for the next process that is added. */
  tree(module: string, descendants: Descendants): string {
    const tree = this.#newTree(module, descendants);
    this.#trees.set(module, tree);
    return tree.name;
  }

  standbyTree(): string {
    return this.#newTree(STANDBY, "kill").name;
  }

  addStandby(pid: number, tree: string): void {
    this.#add(pid, { name: tree, module: STANDBY, descendants: "kill" });
  }

  /** The next process of `module` that is added has the mark of a process that was kept ready. */
  adopt(module: string, tree: string): void {
    const { descendants = "kill" } = this.#trees.get(module) ?? {};
    this.#trees.set(module, { name: tree, module, descendants });
  }

  add(pid: number, module: string): void {
    this.#add(pid, this.#trees.get(module) ?? this.#newTree(module, "kill"));
  }

  /** The process has ended: what it started is killed, where it is to be. */
  remove(pid: number): void {
    if (this.#groups.delete(pid)) this.#tell(`del ${pid}\n`);
  }

  /**
   * Ends the guard; groups that are still in it are killed. The broker's stop waits for it, so that one that does not end is
   * killed itself.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clearPause();
    await this.#starting;
    const shell = this.#shell;
    if (shell === undefined) return;
    shell.channel.close();
    const kill = () => void shell.kill("SIGKILL", { group: true });
    await within(this.#options.runtime.clock, END_MS, shell.exited, "the guard does not end").catch(kill);
  }

  #newTree(module: string, descendants: Descendants): Tree {
    return { name: `${this.#id}/${module}/${++this.#lives}`, module, descendants };
  }

  #add(pid: number, tree: Tree): void {
    this.#groups.set(pid, tree);
    this.#tell(added(pid, tree));
  }

  async #start(): Promise<void> {
    const { runtime, broker, sweep } = this.#options;
    const env: Record<string, string> = {};
    for (const name of ["PATH", "TMPDIR", "XDG_RUNTIME_DIR"]) {
      const value = runtime.env.get(name);
      if (value !== undefined) env[name] = value;
    }
    const args = ["brokkr-guard", String(runtime.pid), broker, this.#id, sweep ? "sweep" : "-"];
    const shell = await runtime.spawnCommand(["/bin/sh", "-c", GUARD_SCRIPT, ...args], { env, cwd: "/", group: true });
    this.#shell = shell;
    this.#text = "";
    const ready = new Promise<void>((resolve) => this.#ready = resolve);
    const clear = runtime.clock.timer(READY_MS, this.#ready);
    shell.channel.open({ data: (chunk) => this.#heard(chunk), drained: () => {}, closed: () => this.#ready() });
    for (const [pid, tree] of this.#groups) this.#tell(added(pid, tree));
    void shell.exited.then(() => this.#again(shell));
    await ready;
    clear();
  }

  #heard(chunk: Uint8Array): void {
    const lines = (this.#text + new TextDecoder().decode(chunk)).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const [verb, process = "", pid, ms] = line.split(" ");
      if (verb === "ready") {
        this.#failures = 0;
        this.#ready();
      } else if (verb === "orphan") this.#options.orphan({ process, childPid: Number(pid), ms: Number(ms) });
    }
  }

  /** The guard was killed: starts another one. */
  #again(shell: CommandProcess): void {
    if (this.#closed || this.#shell !== shell) return;
    this.#shell = undefined;
    // A guard that never watched is mostly followed by one that does not either.
    this.#starting = this.#failures++ === 0 ? this.#startAgain() : this.#startLater("it ends as soon as it is started");
  }

  /** Never rejects: the broker goes on without a guard. */
  async #startAgain(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#failures++;
      await this.#startLater(messageOf(error));
    }
  }

  async #startLater(reason: string): Promise<void> {
    if (this.#closed) return;
    const delayMs = Math.min(AGAIN_MS * 2 ** (this.#failures - 2), MAX_AGAIN_MS);
    this.#options.unguarded({ reason, delayMs });
    await new Promise<void>((resolve) => {
      const clear = this.#options.runtime.clock.timer(delayMs, resolve);
      this.#clearPause = () => {
        clear();
        resolve();
      };
    });
    if (!this.#closed) await this.#startAgain();
  }

  #tell(line: string): void {
    this.#shell?.channel.write(new TextEncoder().encode(line));
  }
}

function added(pid: number, { name, module, descendants }: Tree): string {
  const whose = name.split("/")[1] === module ? "" : ` ${module}`;
  return `add ${pid} ${descendants === "kill" ? "group" : "process"} ${name}${whose}\n`;
}

/**
 * The guard's program: POSIX shell with the tools that every system has. A shell costs 0.1 MiB, is the same under three runtimes, and
 * needs of Deno no right but the one to run it. Where there is no `/proc` it knows process groups only.
 *
 * Arguments: pid of the broker, its name, its id, `sweep` or `-`. It reads `add PID group|process TREE [MODULE]`, with the module where
 * the tree does not name it, and `del PID`; the end of its input is the end of the broker. It writes `orphan NAME PID MS` for what it kills at its start, and then `ready`.
 */
const GUARD_SCRIPT = `
trap '' HUP INT TERM
umask 077
broker=$1 name=$2 id=$3 sweep=$4
entries= file= told=

# $state and $start of process $1, empty where it is gone or the system does not tell.
look() {
  state= start=
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
  set -- \${stat##*) }
  state=$1 start=\${20}
}

# Whether process $1 runs and was started at $2.
is_same() {
  look "$1"
  case $state in '' | Z | X) return 1 ;; esac
  [ "$start" = "$2" ]
}

# The processes that carry mark $1 in their environment.
marked() { (cd /proc 2>/dev/null && grep -lsF "\\"tree\\":\\"$1" [0-9]*/environ) | sed 's,/.*,,'; }

# Kills process $1 while it carries mark $2. No other process ever does, whatever becomes of its number.
kill_marked() { grep -qsF "\\"tree\\":\\"$2" "/proc/$1/environ" && kill -s KILL "$1" 2>/dev/null; }

# Kills all that carry mark $1, more than once as they may be forking.
kill_tree() {
  for round in 1 2 3; do
    found=$(marked "$1")
    [ -n "$found" ] || return 0
    for pid in $found; do kill_marked "$pid" "$1"; done
  done
}

# Parts of an entry PID:START:MODE:TREE:MODULE.
parts() {
  IFS=:; set -- $1; unset IFS
  pid=$1 was=$2 mode=$3 tree=$4 who=$5
  [ -n "$who" ] || { who=\${tree#*/}; who=\${who%/*}; }
}

save() { [ -z "$file" ] || printf '%s\\n' "$$:$own" $entries 2>/dev/null >"$file"; }

# The folder of the control sockets, by the rules of socket_path.ts.
private_folder() {
  if [ -d "$XDG_RUNTIME_DIR" ] && [ -O "$XDG_RUNTIME_DIR" ]; then folder=$XDG_RUNTIME_DIR/brokkr
  else folder=\${TMPDIR:-/tmp}/brokkr-$(id -u); fi
  [ -d "$folder" ] || mkdir -m 700 "$folder" 2>/dev/null
  [ ! -L "$folder" ] && [ -O "$folder" ] || return 1
  case $(ls -ld "$folder") in drwx------*) ;; *) return 1 ;; esac
}

# Once for each: a process that was killed shows its mark until it is gone.
tell() {
  case " $told " in *" $1 "*) return ;; esac
  told="$told $1"
  look "$1"
  read -r up idle 2>/dev/null </proc/uptime && [ -n "$start" ] || return 0
  echo "orphan $2 $1 $(((\${up%.*}\${up#*.} - start) * 10))"
}

# What a dead broker of this name left behind, by its file NAME~ID~PID~START.tree.
sweep_file() {
  left=\${1##*/} left=\${left%.tree} left=\${left#*~}
  old=\${left%%~*} left=\${left#*~}
  is_same "\${left%~*}" "\${left#*~}" && return
  # The dead broker's guard may be at it.
  read -r guard 2>/dev/null <"$1" && is_same "\${guard%:*}" "\${guard#*:}" && return
  while read -r entry; do
    parts "$entry"
    [ -n "$tree" ] || continue
    found=$(marked "$tree\\"")
    for each in $found; do tell "$each" "$who"; done
    if is_same "$pid" "$was"; then
      # Told here where its environment does not show the mark.
      tell "$pid" "$who"
      [ "$mode" = group ] && kill -s KILL -- "-$pid" 2>/dev/null || kill -s KILL "$pid" 2>/dev/null
    fi
    kill_tree "$tree\\""
  done <"$1"
  # One that was created and not yet entered.
  for each in $(marked "$old/"); do
    tell "$each" "$name"
    kill_marked "$each" "$old/"
  done
  rm -f "$1"
}

# The folders of sockets that Deno brokers left behind which were killed in the middle of a spawn.
sweep_sockets() {
  for each in "\${TMPDIR:-/tmp}"/brokkr-sockets-* /tmp/brokkr-sockets-*; do
    [ -d "$each" ] && [ ! -L "$each" ] && [ -O "$each" ] || continue
    pid=\${each##*/brokkr-sockets-} pid=\${pid%%-*}
    look "$pid"
    case $state in
      '') kill -0 "$pid" 2>/dev/null && continue ;;
      Z | X) ;;
      *) continue ;;
    esac
    # Another container may share the folder, and its processes can't be seen from here.
    [ "$pid" = "$broker" ] || [ -n "$(find "$each" -prune -mmin +1)" ] || continue
    for socket in "$each"/*; do [ -S "$socket" ] && rm -f "$socket"; done
    rmdir "$each" 2>/dev/null
  done
}

look $$
own=$start
if [ "$sweep" = sweep ] && [ -n "$own" ] && private_folder; then
  for each in "$folder/$name~"*.tree; do [ -f "$each" ] && sweep_file "$each"; done
  look "$broker"
  file=$folder/$name~$id~$broker~$start.tree
fi
echo ready
if [ -n "$file" ]; then
  save
  sweep_sockets
fi

while read -r verb pid mode tree who; do
  kept= gone=
  for entry in $entries; do
    case $entry in
      "$pid:"*) gone=$entry ;;
      *) kept="$kept $entry" ;;
    esac
  done
  entries=$kept
  if [ "$verb" = add ]; then
    look "$pid"
    entries="$entries $pid:$start:$mode:$tree:$who"
  fi
  save
  if [ "$verb" = del ] && [ -n "$gone" ]; then
    parts "$gone"
    kill_tree "$tree\\""
  fi
done

for entry in $entries; do
  parts "$entry"
  look "$pid"
  # A group keeps its number from being given to another process, so one without its leader is still the module's.
  [ -n "$start" ] && [ "$start" != "$was" ] && continue
  if [ "$mode" = process ]; then kill -s KILL "$pid" 2>/dev/null
  # It may not lead its group yet.
  elif ! kill -s KILL -- "-$pid" 2>/dev/null; then is_same "$pid" "$was" && kill -s KILL "$pid" 2>/dev/null; fi
done
kill_tree "$id/"
if [ -n "$file" ]; then
  rm -f "$file"
  sweep_sockets
fi
`;
