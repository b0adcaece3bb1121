/**
 * The subjects of a cluster. Permissions of the server are patterns of subjects, so who sends what is in the subject, not in the message:
 *
 *     brokkr.CLUSTER.hi.BROKER.NODE               presence
 *     brokkr.CLUSTER.who                          asks for everybody's presence, which comes to the next one
 *     brokkr.CLUSTER.here.ID.BROKER.NODE
 *     brokkr.CLUSTER.open.MODULE.ID.CALLER        opens a session for MODULE with the broker ID; CALLER is the caller's broker
 *     brokkr.CLUSTER.s.BROKER.ID.SESSION          messages of a session, on their way to the broker ID
 */

/** A name as one token: of the characters of a name only the dot has a meaning in subjects. */
export function token(name: string): string {
  return name.replaceAll(".", "=");
}

function nameOf(token: string): string {
  return token.replaceAll("=", ".");
}

const ID = /^[\w-]{1,64}$/;

/** Whether another broker's word for its id is one token of a subject. */
export function isId(id: string): boolean {
  return ID.test(id);
}

/** One that the servers' patterns take for any token, and one for all that follow. */
const ANY = "*";
const REST = ">";

/** In place of a session's id: the answers to `who` come there. */
export const HERE = "here";

export class Subjects {
  readonly #root: string;

  constructor(cluster: string) {
    this.#root = `brokkr.${token(cluster)}`;
  }

  get who(): string {
    return `${this.#root}.who`;
  }

  /** Of everybody where nobody is named. */
  hi(broker?: string, node?: string): string {
    return this.#join("hi", broker, node);
  }

  here(id?: string, broker?: string, node?: string): string {
    return this.#join("here", id, broker, node);
  }

  open(module: string, id?: string, caller?: string): string {
    return this.#join("open", module, id, caller);
  }

  session(broker?: string, id?: string, session?: string): string {
    return this.#join("s", broker, id, session);
  }

  /** The names and ids in a subject of these, in their order; none where one of them is empty or a pattern. */
  parts(subject: string): string[] {
    const tokens = subject.slice(this.#root.length + 1).split(".").slice(1);
    return tokens.some((token) => token === "" || token === ANY || token === REST) ? [] : tokens.map(nameOf);
  }

  #join(kind: string, ...names: (string | undefined)[]): string {
    return [this.#root, kind, ...names.map((name) => name === undefined ? ANY : token(name))].join(".");
  }
}
