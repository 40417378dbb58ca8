// Nobody is kept out: no violation that axe finds, on every page, in both themes, both languages and at both widths.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test, waitForPage } from "./portal.ts";
import { createPortalContent, PORTAL_PAGES, type PortalContent } from "./portal-pages.ts";

const SIZES = [
  { width: 1366, height: 768 },
  { width: 390, height: 844 },
] as const;
const THEMES = ["light", "dark"] as const;
const LANGUAGES = { en: "English", hi: "हिन्दी" } as const;

// A trace of some hundred states would be slower to keep than the states to look at.
test.use({ trace: "off" });

/** Each page is loaded once; theme, language and width change in place. */
async function violationsOf(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const [language, label] of Object.entries(LANGUAGES)) {
    await page.getByRole("button", { name: label, exact: true }).first().click();
    await expect(page.locator("html")).toHaveAttribute("lang", language);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      for (const colorScheme of THEMES) {
        await page.emulateMedia({ colorScheme });
        const { violations } = await new AxeBuilder({ page })
          .setLegacyMode()
          .options({ resultTypes: ["violations"] })
          .analyze();
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        const where = `${language} ${colorScheme} ${size.width}`;
        if (sideways > 0) found.push(`${where}: scrolls sideways by ${sideways} px`);
        for (const { id, nodes } of violations) {
          found.push(
            `${where}: ${id}: ${nodes.map(({ target, any }) => `${target.join(" ")} (${any[0]?.message ?? ""})`).join("; ")}`,
          );
        }
      }
    }
  }
  await page.setViewportSize(SIZES[0]);
  return found;
}

const shown = test.extend<object, { hospital: PortalContent }>({
  hospital: [async ({ world }, use) => use(await createPortalContent(world)), { scope: "worker", timeout: 180_000 }],
});

for (const { name, as, path } of PORTAL_PAGES) {
  shown(name, async ({ open, hospital }) => {
    const page = await open(hospital.logins[as], { path: path(hospital.ids) });
    await waitForPage(page);
    expect(await violationsOf(page)).toEqual([]);
  });
}
