/** What eyes tell, measured in the browser. */

import type { Locator } from "playwright-core";

/** Settles when something was drawn on the canvas in `plot`. */
export async function isDrawn(plot: Locator): Promise<void> {
  const canvas = plot.locator("canvas");
  await canvas.waitFor();
  while (!await canvas.evaluate(hasPixels)) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Between a text and what is behind it, as WCAG 2.2 defines it: 4.5 can be read. */
export async function contrastOf(text: Locator): Promise<{ background: string; ratio: number }> {
  const { color, background } = await text.evaluate(colorsOf);
  const [one, other] = [luminance(color), luminance(background)];
  return { background, ratio: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) };
}

/** Of `rgb(13, 17, 23)`. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(Number).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// The functions below run in the browser. The tests have none of its types: these are what they use of them.

interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d"): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

interface StyledElement {
  readonly parentElement: StyledElement | null;
}

declare function getComputedStyle(element: StyledElement): { readonly color: string; readonly backgroundColor: string };

function hasPixels(canvas: Canvas): boolean {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value > 0);
}

function colorsOf(element: StyledElement): { color: string; background: string } {
  const { color } = getComputedStyle(element);
  for (let one: StyledElement | null = element; one !== null; one = one.parentElement) {
    const background = getComputedStyle(one).backgroundColor;
    if (background !== "rgba(0, 0, 0, 0)") return { color, background };
  }
  return { color, background: "rgb(255, 255, 255)" };
}
