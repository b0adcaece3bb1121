/** The page as a person sees it, in a headless Chromium. */

import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { chromium, type Page } from "playwright-core";

const executablePath = chromiumOnPath();

/** Why there is no browser, or false. */
export const NO_BROWSER = executablePath === undefined &&
  'there is no Chromium on PATH: on Debian "apt-get install chromium"';

/** Less than what a test may take, so that what did not come is named. */
const DEADLINE_MS = 25_000;

export interface Visit {
  readonly width: number;
  readonly height: number;
  /** Whether errors in the browser's console are expected, as where the broker goes away. @default false */
  readonly mayFail?: boolean;
}

/** Opens `url` in a window of its own, and closes it after `look`. What the browser complains of is a failure. */
export async function visit(url: string, how: Visit, look: (page: Page) => Promise<void>): Promise<void> {
  const { width, height, mayFail = false } = how;
  // Root has no sandbox, and a container not enough of /dev/shm.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  await using browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args });
  const page = await browser.newPage({ viewport: { width, height } });
  page.setDefaultTimeout(DEADLINE_MS);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(url);
  await look(page);
  if (!mayFail) assert.deepEqual(errors, []);
}

function chromiumOnPath(): string | undefined {
  const paths = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
