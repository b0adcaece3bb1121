/**
 * Writes docs/pictures/*.png, what the README and the guides show: `brokkr top`, the page, and the report of a night. Takes about a
 * minute. Needs Chromium and tmux.
 *
 *     deno task pictures
 */

for (const tool of ["chromium", "tmux"]) {
  const found = await new Deno.Command("sh", { args: ["-c", `command -v ${tool}`], stdout: "null" }).output();
  if (found.success) continue;
  console.error(`Cannot take pictures: ${tool} is not installed`);
  Deno.exit(1);
}
await import("./pictures/top.ts");
await import("./pictures/page.ts");
