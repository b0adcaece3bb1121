/** The elements of a page. */

/** The element with this id. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`Cannot find element "${id}" of type ${type.name}`);
}

/** A new element with `text` in it. */
export function make(name: string, text: string, attributes: Readonly<Record<string, string>> = {}): HTMLElement {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** An element that stays the same is left alone, so that its reader does not lose the place. */
export function set(element: Element, text: string, className: string): void {
  if (element.textContent !== text) element.textContent = text;
  if (element.className !== className) element.className = className;
}
