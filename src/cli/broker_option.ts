import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";

/** `--broker NAME`, which every command that asks a broker has. */
export function brokerOption() {
  return optional(option("--broker", string({ metavar: "NAME" }), {
    description: message`The broker to ask. Not needed where one broker runs.`,
  }));
}
