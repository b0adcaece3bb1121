/** Writes what is made of the keys of a configuration: `deno task schema`. */

import { join } from "node:path";
import { ROOT } from "./command.ts";
import { configSchema } from "../src/cli/config/json_schema.ts";
import { withTables } from "./config/key_tables.ts";

const GUIDE = join(ROOT, "docs/configuration.md");

await Deno.writeTextFile(join(ROOT, "schema/brokkr.schema.json"), `${JSON.stringify(configSchema(), null, 2)}\n`);
await Deno.writeTextFile(GUIDE, withTables(await Deno.readTextFile(GUIDE)));
