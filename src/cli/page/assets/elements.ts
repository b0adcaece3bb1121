/** The elements of a page, tables that are kept up to date, and figures as they show them: a dash where they are unknown. */

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

export interface Column<Row> {
  readonly heading: string;
  readonly text: (row: Row) => string;
  /** Columns of numbers are aligned as such. */
  readonly isText?: true;
  /** A class of the cell, or empty. */
  readonly className?: (row: Row) => string;
}

export interface Table<Row> {
  readonly caption: string;
  /** The first one has the names of the rows. */
  readonly columns: readonly [Column<Row>, ...Column<Row>[]];
  /** The module of a row that is one of its workers. */
  readonly module?: (row: Row) => string | null;
}

/** Shows `rows` in the table with this id. */
export function fill<Row>(id: string, table: Table<Row>, rows: readonly Row[]): void {
  const element = byId(id, HTMLTableElement);
  makeRows(element, table, rows);
  rows.forEach((row, index) => {
    const cells = element.tBodies[0]?.rows[index]?.cells;
    table.columns.forEach(({ text, isText, className = () => "" }, column) => {
      const cell = cells?.[column];
      if (column > 0 && cell !== undefined) set(cell, text(row), `${isText ? "" : "number "}${className(row)}`.trim());
    });
  });
}

/** New rows only where the names have changed: a reader does not lose the place. */
function makeRows<Row>(
  element: HTMLTableElement,
  { caption, columns, module: moduleOf = () => null }: Table<Row>,
  rows: readonly Row[],
): void {
  const named = rows.map((row) => ({ text: columns[0].text(row), module: moduleOf(row) }));
  const names = JSON.stringify(named);
  if (element.dataset["names"] === names) return;
  element.dataset["names"] = names;
  const headings = make("tr", "");
  for (const { heading, isText } of columns) {
    headings.append(make("th", heading, { scope: "col", class: isText ? "" : "number" }));
  }
  const head = make("thead", "");
  head.append(headings);
  const body = make("tbody", "");
  for (const { text, module } of named) {
    const row = make("tr", "");
    const first = make("th", text, { scope: "row" });
    if (module !== null) {
      first.className = "worker";
      first.append(make("span", `, worker of ${module}`, { class: "hidden" }));
    }
    row.append(first, ...columns.slice(1).map(() => make("td", "")));
    body.append(row);
  }
  element.replaceChildren(make("caption", caption), head, body);
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function mebibytes(bytes: number | null | undefined): string {
  return bytes == null ? "–" : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value == null) return "–";
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** `12 s`, `3 min`, `2 h`, `4 d`. */
export function timeText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** The class of a count that should be 0. */
export function hot(value: number): string {
  return value > 0 ? "hot" : "";
}
