import type { Asking } from "../runtime.ts";
import { asking } from "../builtins/asking.ts";
import { connect } from "./channel.ts";
import type { BunNamespace } from "./namespace.ts";

declare const Bun: BunNamespace;

export const bunAsking: Asking = { ...asking, name: "bun", version: Bun.version, connect };
