/** Deno has it in Node's module only, which costs a process that never needs it. */
function inspector() {
  return import("node:inspector");
}

export async function openInspector(): Promise<string> {
  const { open, url } = await inspector();
  if (url() === undefined) open(0, "127.0.0.1");
  const opened = url();
  if (opened === undefined) throw new Error("this runtime does not say where its inspector is");
  return opened;
}

export async function closeInspector(): Promise<void> {
  const { close, url } = await inspector();
  if (url() !== undefined) close();
}
