import { denoAsking } from "../runtime/deno/asking.ts";
import { quick, type Rest } from "./quick.ts";

export async function ask(words: readonly string[], rest: Rest): Promise<void> {
  await quick(denoAsking, words, rest);
}
