/** Writes what docs/log-lines.md says of each event: `deno task events`. */

import { join } from "node:path";
import { ROOT } from "./command.ts";
import { withEvents } from "./log_lines/event_list.ts";

const PAGE = join(ROOT, "docs/log-lines.md");

await Deno.writeTextFile(PAGE, withEvents(await Deno.readTextFile(PAGE)));
