const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES.get(character) ?? character);
}

/** An element with text in it. */
export function element(name: string, text: string): string {
  return `<${name}>${escapeHtml(text)}</${name}>`;
}

/** A table. The first `names` columns are names, and all others numbers. */
export function htmlTable(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { names = 1 }: { readonly names?: number } = {},
): string | null {
  if (rows.length === 0) return null;
  const head = headings.map((heading, index) =>
    `<th scope="col"${index < names ? "" : ' class="number"'}>${escapeHtml(heading)}</th>`
  ).join("");
  const body = rows.map((row) => `<tr>${row.map((text, index) => cell(text, index, names)).join("")}</tr>`).join("\n");
  // It can be scrolled by keys where it is wider than the page.
  return `<div class="table" tabindex="0" role="region" aria-label="${escapeHtml(caption)}"><table>` +
    `${element("caption", caption)}<thead><tr>${head}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

function cell(text: string, index: number, names: number): string {
  if (index === 0) return `<th scope="row">${escapeHtml(text)}</th>`;
  return index < names ? element("td", text) : `<td class="number">${escapeHtml(text)}</td>`;
}
