/** The JSON Schema of brokkr.json, from the keys of the command line. */

import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { moduleNameSchema, moduleSchema, programSchema, rootSchema } from "../../src/cli/config/schema.ts";

export type Json = Record<string, unknown>;

export function configSchema(): Json {
  const { $schema, ...root } = convert(rootSchema);
  return {
    $schema,
    title: "Configuration of a brokkr broker",
    description: "brokkr.json or brokkr.jsonc, for brokkr run",
    allowComments: true,
    allowTrailingCommas: true,
    ...root,
  };
}

function convert(schema: GenericSchema): Json {
  return {
    ...toJsonSchema(schema, {
      // A check of values has no words in JSON Schema; `brokkr check` has it.
      errorMode: "ignore",
      overrideSchema: ({ valibotSchema, jsonSchema }) => {
        if (valibotSchema.type === "object") return { ...jsonSchema, additionalProperties: false };
        if (valibotSchema.type === "custom") return { type: "object", ...modules() };
        if ("getter" in valibotSchema && typeof valibotSchema.getter === "function") {
          return { oneOf: [nested(valibotSchema.getter("")), nested(valibotSchema.getter({}))] };
        }
        return undefined;
      },
      overrideAction: ({ valibotAction, jsonSchema }) => {
        if (valibotAction.type !== "metadata") return undefined;
        const { otherwise, ...rest }: typeof jsonSchema & { otherwise?: unknown } = jsonSchema;
        return otherwise === undefined ? rest : { ...rest, description: `${rest.description}. Default: ${otherwise}` };
      },
    }),
  };
}

/** What stands under "modules", whose keys are names. */
function modules() {
  return {
    propertyNames: nested(moduleNameSchema),
    additionalProperties: {
      if: { required: ["command"] },
      then: nested(programSchema),
      else: nested(moduleSchema),
    },
  };
}

function nested(schema: GenericSchema): Json {
  const { $schema: _, ...rest } = convert(schema);
  return rest;
}
