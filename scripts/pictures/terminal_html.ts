/** What a terminal shows, with its colours, as a page that a browser can take a picture of. */

const STYLES: Readonly<Record<string, string>> = {
  "1": "font-weight:bold",
  "2": "opacity:.6",
  "31": "color:#ff7b72",
  "32": "color:#7ee787",
  "33": "color:#e3b341",
  "36": "color:#79c0ff",
  "7": "background:#c9d1d9;color:#0d1117",
};

const COLORS = ["31", "32", "33", "36"];

/** @param screen text with SGR sequences, as `tmux capture-pane -e -p` prints it. */
export function terminalHtml(screen: string): string {
  const active = new Set<string>();
  const [first = "", ...parts] = screen.split("\u001b[");
  const body = parts.map((part) => {
    const end = part.indexOf("m");
    for (const code of part.slice(0, end).split(";")) {
      if (code === "" || code === "0") active.clear();
      else if (code === "27") active.delete("7");
      else if (code === "39") { for (const color of COLORS) active.delete(color); }
      else active.add(code);
    }
    const style = [...active].map((code) => STYLES[code] ?? "").filter((one) => one !== "").join(";");
    const text = escaped(part.slice(end + 1));
    return style === "" ? text : `<span style="${style}">${text}</span>`;
  });
  return `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #0d1117 }
pre { margin: 0; padding: 16px; color: #c9d1d9; font: 15px/1.3 "DejaVu Sans Mono", monospace }
</style><pre>${escaped(first)}${body.join("")}</pre>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
