import type { Asking } from "../runtime.ts";
import { asking } from "../builtins/asking.ts";
import { connect } from "../builtins/channel.ts";
import { process } from "../builtins/process.ts";

export const nodeAsking: Asking = { ...asking, name: "node", version: process.versions.node, connect };
