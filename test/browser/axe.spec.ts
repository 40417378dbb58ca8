// Accessibility of every page: no axe violation and no horizontal scrolling, by language, theme and width.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContext, Page } from "@playwright/test";
import type { AxeResults, RunOptions } from "axe-core";
import { createPageGuard, type PageGuard } from "./page-guard.ts";
import { test as base, expect, newContext, shown, signIn, waitForPage } from "./portal.ts";
import { createPortalContent, PORTAL_PAGES, type PortalContent, type Who } from "./portal-pages.ts";

const WIDE = { width: 1366, height: 768 } as const;
const NARROW = { width: 390, height: 844 } as const;
const LANGUAGES = { en: "English", hi: "हिन्दी" } as const;

type Look = { language: keyof typeof LANGUAGES; theme: "light" | "dark"; size: typeof WIDE | typeof NARROW };

/** Each pair of language, theme and width is in one of these. */
const PAIRWISE: readonly Look[] = [
  { language: "en", theme: "light", size: WIDE },
  { language: "en", theme: "dark", size: NARROW },
  { language: "hi", theme: "light", size: NARROW },
  { language: "hi", theme: "dark", size: WIDE },
];
/** Ordered so that the language changes once. */
const ALL: readonly Look[] = (["en", "hi"] as const).flatMap((language) =>
  (["light", "dark"] as const).flatMap((theme) => [WIDE, NARROW].map((size) => ({ language, theme, size }))),
);
/** A user may send 100 requests per minute, and the nurses have most pages. */
const PAGES_PER_NURSE = 8;
/** `npm run test:axe` runs all. */
const LOOKS = process.env["AXE"] === "all" ? ALL : PAIRWISE;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * In the page: waits for three frames in a row without a transition. Colours change over some frames with the theme, and
 * marks move with the size, at first from where a script measures them.
 */
async function untilTransitionsEnd(): Promise<void> {
  const isTransition = (animation: Animation) => animation instanceof CSSTransition && animation.playState === "running";
  for (let still = 0; still < 3; ) {
    await new Promise(requestAnimationFrame);
    still = document.getAnimations().some(isTransition) ? 0 : still + 1;
  }
}

/** Without reloading: language, theme and width change in place, and axe is injected once. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found: string[] = [];
  for (const { language, theme, size } of LOOKS) {
    await page.getByRole("button", { name: LANGUAGES[language], exact: true }).first().click();
    await expect(page.locator("html")).toHaveAttribute("lang", language);
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: theme });
    await page.evaluate(untilTransitionsEnd);
    const violations = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: (options: RunOptions) => Promise<AxeResults> } };
      return (await axe.run({ resultTypes: ["violations"] })).violations;
    });
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    const where = `${language} ${theme} ${size.width}`;
    if (sideways > 0) found.push(`${where}: scrolls sideways by ${sideways} px`);
    for (const { id, nodes } of violations) {
      found.push(
        `${where}: ${id}: ${nodes.map(({ target, any }) => `${target.join(" ")} (${any[0]?.message ?? ""})`).join("; ")}`,
      );
    }
  }
  return found;
}

/** `pageAs`: the page of a user who signs in once and keeps the browser cache. */
type Visits = { hospital: PortalContent; signs: PageGuard; pageAs: (who: Who) => Promise<Page> };

const test = base.extend<object, { visits: Visits }>({
  visits: [
    async ({ browser, world }, use, { project }) => {
      const hospital = await createPortalContent(world);
      const signs = createPageGuard(world.names);
      let visit: { who: Who; context: BrowserContext; pages: number } | null = null;
      const visitAs = async (who: Who) => {
        const context = await newContext(browser, signs, shown(project.use));
        const login = who === "nurse" ? await world.newPerson("nurse") : hospital.logins[who];
        if (login) await signIn(context.request, login);
        return { who, context, pages: 0 };
      };
      const leave = async () => {
        await signs.found();
        await visit?.context.close();
      };
      await use({
        hospital,
        signs,
        async pageAs(who) {
          // An open page of the previous user would stay live and take time from the next.
          if (visit && (visit.who !== who || (who === "nurse" && visit.pages === PAGES_PER_NURSE))) {
            await leave();
            visit = null;
          }
          visit ??= await visitAs(who);
          visit.pages++;
          return visit.context.pages()[0] ?? (await visit.context.newPage());
        },
      });
      await leave();
    },
    { scope: "worker", timeout: 180_000 },
  ],
});

for (const { name, as, path } of PORTAL_PAGES) {
  test(name, async ({ visits }) => {
    const page = await visits.pageAs(as);
    await page.goto(path(visits.hospital.ids));
    await waitForPage(page);
    expect(await violationsOf(page)).toEqual([]);
    expect(await visits.signs.found()).toEqual([]);
  });
}

test("what is wrong is found", async ({ visits }) => {
  const page = await visits.pageAs("nobody");
  await page.goto("/login");
  await waitForPage(page);
  await page.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
  expect((await violationsOf(page)).join()).toContain("button-name");
});
