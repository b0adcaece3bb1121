import { close, open, url } from "node:inspector";

export function openInspector(): string {
  if (url() === undefined) open(0, "127.0.0.1");
  const opened = url();
  if (opened === undefined) throw new Error("this runtime does not say where its inspector is");
  return opened;
}

export function closeInspector(): void {
  if (url() !== undefined) close();
}
