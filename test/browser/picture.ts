// The visible pixels of an element, read in a separate page, whose policy does not block drawing.
import type { BrowserContext, Locator } from "@playwright/test";

export type Rgb = [red: number, green: number, blue: number];
/** `ground`: the most frequent colour; `ink`: the colour with the highest contrast to it, ignoring specks. */
export type Picture = { ground: Rgb; ink: Rgb; isGrey: boolean; shape: string };

/** WCAG 2.2. */
export function contrastRatio(a: Rgb, b: Rgb): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}
function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The difference of two shapes, from 0 to 1. */
export const shapeDifference = (a: string, b: string): number => [...a].filter((cell, i) => cell !== b[i]).length / a.length;

/** `shape`: ink or ground in a grid of 24 by 12 cells. */
export async function analyzePicture(context: BrowserContext, element: Locator): Promise<Picture> {
  const png = await element.screenshot({ animations: "disabled", scale: "device" });
  const reader = await context.newPage();
  try {
    return await reader.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const { width, height } = bitmap;
      const drawing = new OffscreenCanvas(width, height).getContext("2d");
      if (!drawing) throw new Error("nothing to draw on");
      drawing.drawImage(bitmap, 0, 0);
      const { data } = drawing.getImageData(0, 0, width, height);
      const at = (i: number): [number, number, number] => [data[4 * i] ?? 0, data[4 * i + 1] ?? 0, data[4 * i + 2] ?? 0];
      const seen = new Map<string, { color: [number, number, number]; n: number }>();
      for (let i = 0; i < width * height; i++) {
        const color = at(i);
        const known = seen.get(color.join());
        if (known) known.n++;
        else seen.set(color.join(), { color, n: 1 });
      }
      const often = [...seen.values()].sort((a, b) => b.n - a.n);
      const ground = often[0]?.color ?? [0, 0, 0];
      const away = (color: readonly number[]) => Math.max(...color.map((part, i) => Math.abs(part - (ground[i] ?? 0))));
      const ink = often.filter(({ n }) => n >= (width * height) / 500).sort((a, b) => away(b.color) - away(a.color))[0];
      const [across, down] = [24, 12];
      const half = away(ink?.color ?? ground) / 2;
      let shape = "";
      for (let cell = 0; cell < across * down; cell++) {
        const x = Math.floor((((cell % across) + 0.5) * width) / across);
        const y = Math.floor(((Math.floor(cell / across) + 0.5) * height) / down);
        shape += away(at(y * width + x)) > half ? "#" : ".";
      }
      const isGrey = often.every(({ color: [red, green, blue] }) => Math.max(red, green, blue) - Math.min(red, green, blue) <= 3);
      return { ground, ink: ink?.color ?? ground, isGrey, shape };
    }, png.toString("base64"));
  } finally {
    await reader.close();
  }
}
