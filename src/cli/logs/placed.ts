import type { LinePlace } from "../../core/log/parsed.ts";

/** `text` with where it stands, as `grep -n` prints it: `broker.log:12: text`. */
export function placed(text: string, { file, line }: LinePlace): string {
  if (file === null) return text;
  return line === null ? `${file}: ${text}` : `${file}:${line}: ${text}`;
}
