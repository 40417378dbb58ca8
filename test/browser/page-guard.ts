// Checks in every test that no page violates the content security policy, fails, calls another site, or leaks a name.
import type { BrowserContext, Page } from "@playwright/test";

/** Chromium's own messages about responses that tests cause. */
const EXPECTED = /^(Failed to load resource|WebSocket connection to)/;

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export type PageGuard = { watch: (context: BrowserContext, origin: string) => Promise<void>; found: () => Promise<string[]> };

/** @param names that must not leave the page's content */
export function createPageGuard(names: ReadonlySet<string>): PageGuard {
  const problems: string[] = [];
  const contexts: BrowserContext[] = [];
  const nameIn = (text: string) => [...names].find((name) => text.toLowerCase().includes(name.toLowerCase()));
  const noNameIn = (where: string, text: string) => {
    const name = nameIn(unescaped(text));
    if (name) problems.push(`a name (${name}) in ${where}: ${text}`);
  };

  /** Title and storage, as they are now. */
  async function look(page: Page): Promise<void> {
    if (page.isClosed() || page.url() === "about:blank") return;
    const kept = await page
      .evaluate(() => ({
        title: document.title,
        storage: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
        history: JSON.stringify(history.state),
      }))
      // A page that navigates meanwhile is checked after the navigation.
      .catch(() => null);
    noNameIn("the address", page.url());
    if (!kept) return;
    noNameIn("the title", kept.title);
    noNameIn("storage", kept.storage);
    noNameIn("history", kept.history);
  }

  function watchPage(page: Page, origin: string): void {
    page.on("pageerror", (error) => problems.push(`${new URL(page.url()).pathname} threw: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      noNameIn("the console", text);
      if (message.type() === "error" && !EXPECTED.test(text)) problems.push(`console: ${text}`);
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== origin) problems.push(`a request to ${url.origin}`);
    });
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== new URL(origin).host) problems.push(`a socket to ${socket.url()}`);
    });
    page.on("framenavigated", (frame) => {
      if (frame === page.mainFrame()) void look(page);
    });
  }

  return {
    async watch(context, origin) {
      contexts.push(context);
      await context.exposeBinding("reportViolation", ({ page }, what: string) => {
        problems.push(`content security policy on ${new URL(page.url()).pathname}: ${what}`);
      });
      await context.addInitScript(() => {
        addEventListener("securitypolicyviolation", (event) => {
          const { reportViolation } = window as unknown as { reportViolation: (what: string) => void };
          reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ""}:${event.lineNumber}`);
        });
      });
      context.on("page", (page) => watchPage(page, origin));
    },
    async found() {
      for (const context of contexts) for (const page of context.pages()) await look(page);
      return problems;
    },
  };
}
