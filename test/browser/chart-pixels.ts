// Reads a drawn chart from the pixels of its canvas.
import { expect, type Locator, type Page } from "@playwright/test";

export const chartFigure = (page: Page, vital: string): Locator =>
  page.getByRole("figure", { name: new RegExp(`^${vital}[,:]`) });

/** The chart of one vital, completely drawn. */
export async function waitForChart(page: Page, vital: string): Promise<Locator> {
  const figure = chartFigure(page, vital);
  await expect(figure.locator("canvas")).toBeVisible();
  await expect(figure).toHaveAttribute("data-dimmed", "false");
  await expect(figure.locator("xpath=ancestor::*[@aria-busy][1]")).toHaveAttribute("aria-busy", "false");
  await figure.evaluate(untilStill);
  return figure;
}

/** In the page: waits until four frames in a row are equal; the latest data are drawn with one of the next frames. */
function untilStill(element: Element): Promise<void> {
  const picture = () => element.querySelector("canvas")?.toDataURL();
  return new Promise((resolve) => {
    let [before, same] = [picture(), 0];
    const look = () => {
      const now = picture();
      same = now === before ? same + 1 : 0;
      before = now;
      if (same < 4) requestAnimationFrame(look);
      else resolve();
    };
    requestAnimationFrame(look);
  });
}

export type Window = { from: number; to: number };
/** Position in a column of the plot, in CSS pixels from its top; null where there is no line. */
export type Ink = { top: number; bottom: number } | null;

/** Position of the line in each column of the plot, left to right, and the height of the plot. */
export function readLine(figure: Locator): Promise<{ columns: Ink[]; height: number }> {
  return figure.evaluate((element) => {
    const canvas = element.querySelector("canvas");
    const over = element.querySelector(".u-over");
    const context = canvas?.getContext("2d");
    if (!canvas || !over || !context) throw new Error("nothing is drawn");
    const [plot, whole] = [over.getBoundingClientRect(), canvas.getBoundingClientRect()];
    const density = canvas.width / whole.width;
    const left = Math.round((plot.left - whole.left) * density);
    const top = Math.round((plot.top - whole.top) * density);
    const [width, height] = [Math.floor(plot.width * density), Math.floor(plot.height * density)];
    const { data } = context.getImageData(left, top, width, height);
    // Only the line is blue, however thin and blended; grid, limits, bands and alarms are not.
    const isLine = (i: number) => (data[i + 2] ?? 0) - (data[i] ?? 0) > 60;
    const columns: ({ top: number; bottom: number } | null)[] = [];
    for (let x = 0; x < width; x++) {
      let ink: { top: number; bottom: number } | null = null;
      for (let y = 0; y < height; y++) {
        if (!isLine(4 * (y * width + x))) continue;
        ink ??= { top: y / density, bottom: y / density };
        ink.bottom = y / density;
      }
      columns.push(ink);
    }
    return { columns, height: plot.height };
  });
}

/** Whether two lines are the same up to one pixel, by which the browser may place a mark differently when it draws anew. */
export function isSameLine(one: readonly Ink[], other: readonly Ink[]): boolean {
  const isClose = (a: Ink, b: Ink) =>
    a === null || b === null ? a === b : Math.abs(a.top - b.top) <= 1 && Math.abs(a.bottom - b.bottom) <= 1;
  const isWithin = (line: readonly Ink[], columns: readonly Ink[]) =>
    line.every((ink, x) => columns.slice(Math.max(0, x - 1), x + 2).some((near) => isClose(ink, near)));
  return one.length === other.length && isWithin(one, other) && isWithin(other, one);
}

/** The columns of a period, without the few pixels at its ends that belong to neighbouring marks. */
export function selectColumns<T>(columns: readonly T[], window: Window, part: Window, edge = 4): T[] {
  const place = (at: number) => ((at - window.from) / (window.to - window.from)) * columns.length;
  return columns.slice(Math.ceil(place(part.from)) + edge, Math.floor(place(part.to)) - edge);
}

/** For each column of the plot, whether a pixel at or next to this height has the colour of a design token. */
export function hasTokenColour(figure: Locator, token: string, y: number): Promise<boolean[]> {
  return figure.evaluate(
    (element, { token, y }) => {
      const canvas = element.querySelector("canvas");
      const over = element.querySelector(".u-over");
      const context = canvas?.getContext("2d");
      if (!canvas || !over || !context) throw new Error("nothing is drawn");
      const [, red = 0, green = 0, blue = 0] = (
        /^#(..)(..)(..)$/.exec(getComputedStyle(element).getPropertyValue(`--${token}`).trim()) ?? []
      ).map((part) => Number.parseInt(part, 16));
      const [plot, whole] = [over.getBoundingClientRect(), canvas.getBoundingClientRect()];
      const density = canvas.width / whole.width;
      const [left, top] = [(plot.left - whole.left) * density, (plot.top - whole.top + y - 1) * density];
      const [width, height] = [Math.floor(plot.width * density), Math.ceil(3 * density)];
      const { data } = context.getImageData(Math.round(left), Math.round(top), width, height);
      const isToken = (i: number) => [red, green, blue].every((part, at) => Math.abs((data[i + at] ?? 0) - part) < 24);
      return Array.from({ length: width }, (_, x) =>
        Array.from({ length: height }, (_, row) => 4 * (row * width + x)).some(isToken),
      );
    },
    { token, y },
  );
}
