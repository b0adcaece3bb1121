/** The oldest version of each runtime that passes the suite, as the README says. */
const MINIMUM: Readonly<
  Record<"deno" | "node" | "bun", { readonly name: string; readonly oldest: readonly number[] }>
> = {
  deno: { name: "Deno", oldest: [2, 7] },
  node: { name: "Node", oldest: [20, 19] },
  bun: { name: "Bun", oldest: [1, 4, 1] },
};

declare const Deno: { readonly version: { readonly deno: string }; exit(code: number): never };
declare const Bun: { readonly version: string };
declare const process: { readonly versions: { readonly node: string }; exit(code: number): never };

/** What is wrong with version `version` of a runtime; null where it is new enough. */
export function tooOld(runtime: keyof typeof MINIMUM, version: string): string | null {
  const { name, oldest } = MINIMUM[runtime];
  const own = version.split(".").map((part) => Number.parseInt(part));
  const differs = oldest.findIndex((part, i) => part !== own[i]);
  if (differs === -1 || (own[differs] ?? 0) > (oldest[differs] ?? 0)) return null;
  return `brokkr needs ${name} ${oldest.join(".")} or newer, this is ${version}`;
}

/**
 * Ends this process where its runtime is too old. Nothing else of brokkr is loaded yet: it would fail in ways that do not tell why,
 * and an error that is thrown here would be shown with a stack, if at all.
 */
export function requireMinimum(): void {
  const wrong = "Deno" in globalThis
    ? tooOld("deno", Deno.version.deno)
    : "Bun" in globalThis
    ? tooOld("bun", Bun.version)
    : tooOld("node", process.versions.node);
  if (wrong === null) return;
  console.error(wrong);
  if ("Deno" in globalThis) Deno.exit(2);
  process.exit(2);
}
