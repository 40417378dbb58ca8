// Whether a board is readable as a whole: no scrolling, nobody below the edge, no truncated or overlapping text.
import type { Page } from "@playwright/test";

/** Describes what does not fit. Excludes intended ellipses: names and alarm summaries, which have titles. */
export const findOverflows = (page: Page): Promise<string[]> =>
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
    /** The box of the letters: a line box is higher. Text with an ellipsis ends at its box. */
    const inkOf = (text: Node, parent: Element) => {
      const range = document.createRange();
      range.selectNodeContents(text);
      const { x, y, height, right } = range.getBoundingClientRect();
      const dots = clipOf(parent);
      return new DOMRect(x, y + height * 0.2, Math.min(right, dots?.right ?? right) - x, height * 0.6);
    };
    const clipOf = (element: Element): DOMRect | null => {
      for (let at: Element | null = element; at && at.tagName !== "TD"; at = at.parentElement) {
        if (getComputedStyle(at).textOverflow === "ellipsis") return at.getBoundingClientRect();
      }
      return null;
    };
    const SPACE = 3;
    const touch = (a: DOMRect, b: DOMRect) =>
      a.top < b.bottom && b.top < a.bottom && a.left < b.right + SPACE && b.left < a.right + SPACE;
    const rows = [...document.querySelectorAll("tbody tr")];
    const least = Math.min(...rows.map((row) => row.getBoundingClientRect().height));
    for (const row of rows) {
      const place = row.getBoundingClientRect();
      const name = row.querySelector("[data-row]")?.textContent ?? "";
      if (!holds(screen, place, "both")) found.push(`${name} stands beyond the screen: ${place.bottom}`);
      if (place.height > least + 1) found.push(`${name} takes ${place.height} px, others ${least}`);
      const inks: { what: string; cell: Element; ink: DOMRect }[] = [];
      for (const cell of row.children) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let text = walker.nextNode(); text; text = walker.nextNode()) {
          const parent = text.parentElement;
          if (!parent || !text.textContent?.trim() || isHidden(parent)) continue;
          const ink = inkOf(text, parent);
          if (ink.width === 0) continue;
          const what = `${name}: "${text.textContent}" in column ${Array.from(row.children).indexOf(cell)}`;
          if (!holds(place, ink, "down")) found.push(`${what} leaves its row`);
          if (getComputedStyle(cell).overflowX !== "visible" && !holds(cell.getBoundingClientRect(), ink, "across")) {
            found.push(`${what} is cut off`);
          }
          for (const other of inks) if (other.cell !== cell && touch(other.ink, ink)) found.push(`${what} touches ${other.what}`);
          inks.push({ what, cell, ink });
        }
      }
    }
    return found;
  });
