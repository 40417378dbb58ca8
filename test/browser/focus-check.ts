// Keyboard navigation through a page, and whether the focus is visible.
import { expect, type Locator, type Page } from "@playwright/test";

/** Describes a focus indicator fault; null if there is none, or if nothing has the focus. */
export const findFocusFault = (page: Page): Promise<string | null> =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const what = `${element.tagName} "${(element.getAttribute("aria-label") ?? element.textContent ?? "").slice(0, 40)}"`;
    const isOutlined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
    if (!isOutlined && boxShadow === "none") return `${what} shows no focus`;
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const seen = {
      left: Math.max(0, left),
      top: Math.max(0, top),
      right: Math.min(innerWidth, right),
      bottom: Math.min(innerHeight, bottom),
    };
    if (seen.right - seen.left < 4 || seen.bottom - seen.top < 4) return `${what} is out of sight`;
    const over = document.elementFromPoint((seen.left + seen.right) / 2, (seen.top + seen.bottom) / 2);
    if (over && !element.contains(over) && !over.contains(element))
      return `${what} is covered by ${over.tagName} ${over.className}`;
    return null;
  });

/** @throws when the focus is not visible */
async function step(page: Page, key: "Tab" | "Shift+Tab"): Promise<void> {
  await page.keyboard.press(key);
  expect(await findFocusFault(page)).toBeNull();
}

/** Tabs to an element and checks the focus at each stop. */
export async function tabTo(page: Page, target: Locator, { back = false, most = 120 } = {}): Promise<void> {
  await expect(target).toBeVisible();
  for (let stops = 0; stops < most; stops++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await step(page, back ? "Shift+Tab" : "Tab");
  }
  throw new Error(`no tab leads to ${target}`);
}

/** Tabs through the whole page. @returns the number of stops, and the faults found */
export async function tabThroughPage(page: Page, most = 250): Promise<{ stops: number; faults: string[] }> {
  const faults: string[] = [];
  for (let stops = 0; stops < most; stops++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement === document.body)) return { stops, faults };
    const fault = await findFocusFault(page);
    if (fault) faults.push(fault);
  }
  throw new Error("tabs go round and round");
}
