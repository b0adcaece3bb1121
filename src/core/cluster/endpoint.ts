/** What both ends of a session have: they receive messages of one member, and send theirs through the cluster. */

import type { Clock } from "../../runtime/runtime.ts";
import type { Member } from "./members.ts";
import type { Head } from "./session.ts";

export interface Endpoint {
  readonly member: Member;
  /** What the member's messages name as theirs: another sender's are none of this session. */
  readonly from: string;
  /** `bytes` are behind the head. */
  receive(head: Head, bytes: Uint8Array): void;
  /** The connection to the server is lost, or there is one again. */
  connection(isConnected: boolean): void;
  /** Ends at once. */
  abort(): void;
}

/** Sends messages, for all sessions. */
export interface Post {
  readonly clock: Clock;
  /** Of a session: nobody can guess it. */
  newId(): string;
  readonly isConnected: boolean;
  /** Whether this broker is a member: one whose name another has makes no calls. */
  readonly isMember: boolean;
  /** The largest message that the server takes now. */
  readonly maxPayload: number;
  /** Sends a member messages of a session. Nothing is sent without a connection. */
  to(member: Member, session: string): (message: Uint8Array) => void;
  subjectOf(member: Member, session: string): string;
  /** Asks a member to open a session for a module. */
  open(member: Member, session: string, module: string): void;
}
