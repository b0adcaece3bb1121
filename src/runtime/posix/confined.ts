/** Why there are no fewer rights where the runtime is not Deno. */
export function cannotSandbox(runtime: string): string {
  return `${runtime} gives a process every right of its user: remove them, or start with Deno`;
}
