// A probe in a page: records events as counts of animation frames and heartbeats, which a busy machine does not change.
import type { BrowserContext, Locator, Page } from "@playwright/test";

/** `heardAt`: the heartbeat at which the live socket received its last message. */
type Probe = {
  frame: number;
  beats: number;
  heardAt: number;
  messages: { frame: number; data: string }[];
  watches: Record<string, Promise<number>>;
};
type Probed = { probe: Probe };

/** From the next load on, counts animation frames and heartbeats, and records messages of the live socket. */
export async function probe(target: BrowserContext | Page): Promise<void> {
  await target.addInitScript(() => {
    const probe: Probe = { frame: 0, beats: 0, heardAt: 0, messages: [], watches: {} };
    Object.assign(window, { probe });
    const tick = () => {
      probe.frame++;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    window.WebSocket = class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        this.addEventListener("message", ({ data }) => {
          probe.heardAt = probe.beats;
          probe.messages.push({ frame: probe.frame, data: String(data) });
        });
      }
    };
    let hearts = 0;
    window.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        // Connection and sound have a heartbeat each; one of them counts.
        if (hearts++ > 0) return;
        this.addEventListener("message", () => {
          probe.beats++;
        });
      }
    };
  });
}

let watches = 0;
const resultOf = (page: Page, key: string): Promise<number> =>
  page.evaluate((key) => (window as unknown as Probed).probe.watches[key] ?? Number.NaN, key);

/**
 * Watches an element from now on.
 * @returns a function that gives the animation frames from the last message with `received` until the element shows `shown`
 */
export async function watchText(element: Locator, text: { received: string; shown: string }): Promise<() => Promise<number>> {
  const key = `text ${watches++}`;
  await element.evaluate(
    (element, { key, received, shown }) => {
      const { probe } = window as unknown as Probed;
      probe.watches[key] = new Promise((resolve) => {
        const look = () => {
          if (!element.textContent?.includes(shown)) return;
          observer.disconnect();
          const message = probe.messages.findLast(({ data }) => data.includes(received));
          resolve(message ? probe.frame - message.frame : Number.NaN);
        };
        const observer = new MutationObserver(look);
        observer.observe(element, { childList: true, characterData: true, subtree: true });
        look();
      });
    },
    { key, ...text },
  );
  return () => resultOf(element.page(), key);
}

/** Watches a page from now on. @returns a function that gives the heartbeats from the last message until this alert text */
export async function watchAlert(page: Page, text: string): Promise<() => Promise<number>> {
  const key = `alert ${watches++}`;
  await page.evaluate(
    ({ key, text }) => {
      const { probe } = window as unknown as Probed;
      probe.watches[key] = new Promise((resolve) => {
        const look = () => {
          if (![...document.querySelectorAll("[role=alert]")].some((alert) => alert.textContent?.includes(text))) return;
          observer.disconnect();
          resolve(probe.beats - probe.heardAt);
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { childList: true, characterData: true, subtree: true });
        look();
      });
    },
    { key, text },
  );
  return () => resultOf(page, key);
}

/** Waits until a message with this text has arrived and the page has drawn its data. */
export async function untilDrawn(page: Page, received: string): Promise<void> {
  await page.waitForFunction((received) => {
    const { probe } = window as unknown as Probed;
    return probe.messages.some(({ frame, data }) => data.includes(received) && probe.frame > frame + 2);
  }, received);
}

/** Waits for this many more animation frames: synchronous work of a handler is done by then. */
export const nextFrames = (page: Page, frames = 4): Promise<void> =>
  page.evaluate(
    (frames) =>
      new Promise<void>((resolve) => {
        let left = frames;
        const next = () => (left-- > 0 ? requestAnimationFrame(next) : setTimeout(resolve));
        next();
      }),
    frames,
  );
