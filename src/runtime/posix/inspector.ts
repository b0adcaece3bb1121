/** The inspector of this process. Every runtime has it in Node's module, which costs a process that never needs it. */
function inspector() {
  return globalThis.process.getBuiltinModule("node:inspector");
}

export function openInspector(): string {
  const { open, url } = inspector();
  if (url() === undefined) open(0, "127.0.0.1");
  const opened = url();
  if (opened === undefined) throw new Error("this runtime does not say where its inspector is");
  return opened;
}

export function closeInspector(): void {
  const { close, url } = inspector();
  if (url() !== undefined) close();
}
