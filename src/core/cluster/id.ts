/** 128 random bits as a token of a subject: of one life of a broker, or of a session, so that nobody guesses it. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
