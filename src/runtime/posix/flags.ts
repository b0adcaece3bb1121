/** Which flags of its parent's runtime a new process of the same program gets. */

export interface FlagRules {
  /** A process of the same program must not repeat these: it would listen, wait, test or evaluate where its parent process does. */
  isDropped(name: string): boolean;
  /** The value of flag `name` in a form that holds in any working directory. */
  absolute(name: string, value: string): string;
}

/**
 * What is a value is known by its position: an element without a leading dash belongs to the flag before it, as no runtime takes a
 * value with one. So no list of the flags that have a value is needed, and a flag that is dropped takes its value along.
 */
export function passedOn(flags: readonly string[], { isDropped, absolute }: FlagRules): string[] {
  const result: string[] = [];
  let name: string | undefined;
  for (const element of flags) {
    if (!element.startsWith("-")) {
      if (name !== undefined) result.push(absolute(name, element));
      continue;
    }
    const equals = element.indexOf("=");
    name = equals === -1 ? element : element.slice(0, equals);
    if (isDropped(name)) name = undefined;
    else result.push(equals === -1 ? element : `${name}=${absolute(name, element.slice(equals + 1))}`);
  }
  return result;
}

/** The elements of a variable such as NODE_OPTIONS, with quotes and escapes as Node reads them. */
export function splitOptions(text: string): string[] {
  const elements: string[] = [];
  let element = "";
  let isQuoted = false;
  let isStarted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (letter === "\\" && isQuoted) element += text.charAt(++i);
    else if (letter === '"') {
      isQuoted = !isQuoted;
      isStarted = true;
    } else if (letter === " " && !isQuoted) {
      if (isStarted || element !== "") elements.push(element);
      [element, isStarted] = ["", false];
    } else element += letter;
  }
  if (isStarted || element !== "") elements.push(element);
  return elements;
}

/** The elements as text again. */
export function joinOptions(elements: readonly string[]): string {
  return elements.map((element) =>
    /[\s"\\]/.test(element) || element === "" ? `"${element.replaceAll(/["\\]/g, "\\$&")}"` : element
  ).join(" ");
}
