/** @throws {Error} on a system whose processes brokkr can't end with everything they started. */
export function checkSystem(name: string): void {
  if (name !== "windows" && name !== "win32") return;
  throw new Error("Cannot run brokkr on Windows: it needs Linux or macOS, the Windows Subsystem for Linux included");
}
