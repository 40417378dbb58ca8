// Whether a board can be read whole: nothing to scroll to, nobody below the edge, no text that is cut off.
import type { Page } from "@playwright/test";

/** What does not fit, in words. What ends in "…" on purpose is left out: names, and the brief of an alarm, which have titles. */
export const misfitsOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    const { clientWidth, clientHeight, scrollHeight } = document.documentElement;
    if (scrollHeight > clientHeight) found.push(`the page scrolls by ${scrollHeight - clientHeight} px`);
    for (const element of document.querySelectorAll("body *")) {
      const { overflowY } = getComputedStyle(element);
      const more = element.scrollHeight - element.clientHeight;
      if (/auto|scroll/.test(overflowY) && more > 0 && element.clientHeight > 0) {
        found.push(`${element.tagName} ${element.className} scrolls by ${more} px`);
      }
    }
    const holds = (outer: DOMRect, inner: DOMRect, sides: "both" | "across" | "down") =>
      (sides === "down" || (inner.left >= outer.left - 1 && inner.right <= outer.right + 1)) &&
      (sides === "across" || (inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1));
    const screen = new DOMRect(0, 0, clientWidth, clientHeight);
    const isHidden = (element: Element) => element.closest(".visually-hidden") !== null;
    const endsInDots = (element: Element) => {
      for (let at: Element | null = element; at && at.tagName !== "TD"; at = at.parentElement) {
        if (getComputedStyle(at).textOverflow === "ellipsis") return true;
      }
      return false;
    };
    for (const row of document.querySelectorAll("tbody tr")) {
      const place = row.getBoundingClientRect();
      const name = row.querySelector("[data-row]")?.textContent ?? "";
      if (!holds(screen, place, "both")) found.push(`${name} stands beyond the screen: ${place.bottom}`);
      for (const cell of row.children) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let text = walker.nextNode(); text; text = walker.nextNode()) {
          const parent = text.parentElement;
          if (!parent || !text.textContent?.trim() || isHidden(parent)) continue;
          const range = document.createRange();
          range.selectNodeContents(text);
          const ink = range.getBoundingClientRect();
          if (ink.width === 0) continue;
          const what = `${name}: "${text.textContent}" in column ${Array.from(row.children).indexOf(cell)}`;
          // A line box is higher than its letters: a fifth of it may stand out.
          const letters = new DOMRect(ink.x, ink.y + ink.height * 0.2, ink.width, ink.height * 0.6);
          if (!holds(place, letters, "down")) found.push(`${what} leaves its row`);
          if (!endsInDots(parent) && !holds(cell.getBoundingClientRect(), letters, "across"))
            found.push(`${what} leaves its cell`);
        }
      }
    }
    return found;
  });
