/**
 * The guard's program: POSIX shell with the tools that every system has. A shell costs 0.1 MiB, is the same under three runtimes, and
 * needs of Deno no right but the one to run it. Where there is no `/proc` it knows process groups only.
 *
 * Arguments: pid of the broker, its name, its id, `sweep` or `-`. It reads `add PID group|process TREE` and `del PID`; the end of its
 * input is the end of the broker. It writes `orphan NAME PID MS` for what it kills at its start, and then `ready`.
 *
 * @module
 */

export const GUARD_SCRIPT = `
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

# Parts of an entry PID:START:MODE:TREE.
parts() { IFS=:; set -- $1; unset IFS; pid=$1 was=$2 mode=$3 tree=$4; }

save() { [ -z "$file" ] || printf '%s\\n' "$$:$own" $entries 2>/dev/null >"$file"; }

# The folder of the control sockets, by the rules of private_folder.ts.
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
    who=\${tree#*/}
    found=$(marked "$tree\\"")
    for each in $found; do tell "$each" "\${who%/*}"; done
    if is_same "$pid" "$was"; then
      # Told here where its environment does not show the mark.
      tell "$pid" "\${who%/*}"
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

while read -r verb pid mode tree; do
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
    entries="$entries $pid:$start:$mode:$tree"
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
  if [ "$mode" = group ]; then kill -s KILL -- "-$pid" 2>/dev/null; else kill -s KILL "$pid" 2>/dev/null; fi
done
kill_tree "$id/"
if [ -n "$file" ]; then
  rm -f "$file"
  sweep_sockets
fi
`;
