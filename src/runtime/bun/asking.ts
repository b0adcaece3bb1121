import type { Asking } from "../runtime.ts";
import { common } from "../builtins/asking.ts";
import { connect } from "./channel.ts";
import type { BunNamespace } from "./namespace.ts";

declare const Bun: BunNamespace;

export const asking: Asking = { ...common, name: "bun", version: Bun.version, connect };
