/** Version of brokkr; the gate holds it against `deno.json`. */
export const VERSION = "0.1.0";
