import type { Asking } from "../runtime.ts";
import { common } from "../builtins/asking.ts";
import { connect } from "../builtins/channel.ts";
import { process } from "../builtins/process.ts";

export const asking: Asking = { ...common, name: "node", version: process.versions.node, connect };
