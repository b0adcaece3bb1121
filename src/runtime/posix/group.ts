/**
 * A process that leads a group without a session of its own.
 *
 * Linux schedules each session as one (`sched_autogroup`). On a busy machine a process that is woken from another session waits for
 * its turn, which makes milliseconds of a call that takes microseconds. No runtime makes a group alone, so Perl does, which is part
 * of every Debian and of most others: 1.5 ms a start. Where there is none the group gets a session too.
 *
 * @module
 */

const PERL = "/usr/bin/perl";
/** "1" where each session is scheduled as one. */
const AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled";

/** `TIOCNOTTY`: a group in the background would be stopped when it reads from its terminal; one that has none can't. */
const LEAVE_TERMINAL = `if (open my $tty, "<", "/dev/tty") { ioctl $tty, 0x5422, 0 }`;
/** Keeps Perl from complaining of a locale that the system lacks. A number that others do not use, since it is removed again. */
const QUIET = "00";
const LEAD = [
  "setpgrp",
  `delete $ENV{PERL_BADLANG} if $ENV{PERL_BADLANG} eq "${QUIET}"`,
  `${LEAVE_TERMINAL} exec { $ARGV[0] } @ARGV`,
  `die "$ARGV[0]: $!\\n"`,
].join("; ");

/** What a runtime starts. */
export interface Start {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** What this process may do; each throws where it may not. */
export interface GroupTools {
  /** Whether the program at the path can be started. */
  canRun(path: string): boolean;
  read(path: string): string;
}

/**
 * How to start what is to lead a group, and whether the runtime has to make it, with a session (`detached`). Until Perl has run, for
 * about a millisecond, the process is in the group of this one.
 */
export function leader({ command, env }: Start, tools: GroupTools): Start & { readonly detached: boolean } {
  if (!canLead(env, tools)) return { command, env, detached: true };
  return { command: [PERL, "-e", LEAD, ...command], env: { PERL_BADLANG: QUIET, ...env }, detached: false };
}

function canLead(env: Start["env"], { canRun, read }: GroupTools): boolean {
  // Perl would load what that says.
  if (env["PERL5OPT"] !== undefined) return false;
  try {
    return read(AUTOGROUP).startsWith("1") && canRun(PERL);
  } catch {
    // Not Linux, or scoped rights.
    return false;
  }
}
