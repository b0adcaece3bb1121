/** A headless Chromium, by its DevTools protocol: what a person sees, and what the page's scripts complain of. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Why there is none, or false. */
export const NO_BROWSER = spawnSync("chromium", ["--version"]).status !== 0
  ? "Chromium is not installed"
  : typeof WebSocket === "undefined" && "this runtime has no WebSocket";

/** How often it is tried to remove the folder of a browser that has just ended. */
const TRIES = 50;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class Browser {
  /** Uncaught errors and what the browser logs as one. */
  readonly errors: string[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #session: string | undefined;
  #last = 0;

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data))));
  }

  /** Opens `url` in a window of that size. */
  static async open(url: string, size: { width: number; height: number }): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), "brokkr-chromium-"));
    const child = spawn("chromium", [
      ...[
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
      ],
      ...[`--user-data-dir=${folder}`, "about:blank"],
    ], { stdio: ["ignore", "ignore", "pipe"], detached: true });
    const address = await new Promise<string>((resolve, reject) => {
      let text = "";
      child.stderr?.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        const [, found] = /DevTools listening on (ws:\S+)/.exec(text) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once("exit", () => reject(new Error(`Chromium ended: ${text}`)));
    });
    const socket = new WebSocket(address);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    const browser = new Browser(child, folder, socket);
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" }) as { targetId: string };
    const attached = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = (attached as { sessionId: string }).sessionId;
    for (const domain of ["Page", "Runtime", "Log"]) await browser.#send(`${domain}.enable`, {});
    await browser.#send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor: 1, mobile: false });
    await browser.#send("Page.navigate", { url });
    return browser;
  }

  /** The value of an expression in the page. */
  async value(expression: string): Promise<unknown> {
    const answer = await this.#send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    return (answer as { result?: { value?: unknown } }).result?.value;
  }

  /** Settles when the text that a person sees matches; whoever waits has a deadline of its own. */
  async shows(what: RegExp): Promise<string> {
    for (;;) {
      const text = String(await this.value("document.body.innerText"));
      if (what.test(text)) return text;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async prefer(scheme: "light" | "dark"): Promise<void> {
    await this.#send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  async press(key: string): Promise<void> {
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", key, code: key, windowsVirtualKeyCode: 9 });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key, windowsVirtualKeyCode: 9 });
  }

  /** A picture as PNG in base64. */
  async picture(): Promise<string> {
    return (await this.#send("Page.captureScreenshot", { format: "png" }) as { data: string }).data;
  }

  /** Ends the browser with all its processes, which write into its folder to their last. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#socket.close();
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    await ended;
    for (let left = TRIES; !isRemoved(this.#folder) && left > 0; left--) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #send(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    const replied = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await replied;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  #take(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    } else if (reply.method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(reply.params));
    else if (reply.method === "Log.entryAdded" && JSON.stringify(reply.params).includes('"level":"error"')) {
      this.errors.push(JSON.stringify(reply.params));
    }
  }
}

function isRemoved(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  }
}
