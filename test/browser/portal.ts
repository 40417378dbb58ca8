// Fixtures of every browser test: a separate hospital, signed-in users, and a guard for what no page may do.
import { type Browser, type BrowserContext, type BrowserContextOptions, test as base, expect, type Page } from "@playwright/test";
import type { Login } from "./api.ts";
import { createPageGuard, type PageGuard } from "./page-guard.ts";
import { productUrl } from "./product.ts";
import { newWorld, type Person, type World } from "./world.ts";

type Opened = { path?: string; before?: (page: Page) => Promise<unknown>; context?: BrowserContextOptions };
export type Tools = {
  /** A hospital per test: the rate limit is 100 requests per minute and user, and a page sends many. */
  nurse: Person;
  signs: PageGuard;
  /** A new browser, signed in as this person, at a URL. */
  open: (login: Login | null, opened?: Opened) => Promise<Page>;
};

export const test = base.extend<Tools, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs.
    async ({}, use) => use(await newWorld()),
    { scope: "worker", timeout: 180_000 },
  ],
  nurse: async ({ world }, use) => use(await world.newPerson("nurse")),
  signs: async ({ world }, use) => {
    const signs = createPageGuard(world.names);
    await use(signs);
    expect(await signs.found()).toEqual([]);
  },
  open: async ({ browser, contextOptions, signs }, use, { project }) => {
    const contexts: BrowserContext[] = [];
    await use(async (login, { path = "/", before, context: options } = {}) => {
      const context = await newContext(browser, signs, { ...contextOptions, ...shown(project.use), ...options });
      contexts.push(context);
      if (login) await signIn(context.request, login);
      const page = await context.newPage();
      await before?.(page);
      await page.goto(path);
      return page;
    });
    // Checks pages before they close: later their violations are gone.
    await signs.found();
    for (const context of contexts) await context.close();
  },
});

export { expect };

/** A new browser with the page guard. */
export async function newContext(browser: Browser, signs: PageGuard, options: BrowserContextOptions): Promise<BrowserContext> {
  const origin = options.baseURL ?? productUrl();
  const context = await browser.newContext({ ...options, baseURL: origin });
  await signs.watch(context, origin);
  return context;
}

/** The configuration's options for every context. */
export const shown = ({ locale, timezoneId, viewport }: BrowserContextOptions): BrowserContextOptions => ({
  ...(locale && { locale }),
  ...(timezoneId && { timezoneId }),
  ...(viewport && { viewport }),
});

/** Signs in like the form: the refresh token is a cookie. */
export async function signIn(request: Page["request"], { email, password }: Login): Promise<void> {
  const response = await request.post("/api/v1/auth/login", { data: { email, password, transport: "cookie" } });
  expect(response.status(), await response.text()).toBe(200);
}

/** Fills in the dialog of an expired session. */
export async function signInAgain(page: Page, { email, password }: Login): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Session expired" });
  await expect(dialog).toBeVisible();
  await dialog.getByLabel("E-mail or user name").fill(email);
  await dialog.getByLabel("Password", { exact: true }).fill(password);
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(dialog).toHaveCount(0);
}

/** Waits until the page's own heading is shown and nothing is loading. */
export async function waitForPage(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 }).first()).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: /Loading|Still loading|लोड हो रहा है/ })).toHaveCount(0);
}
