// `npm run screenshots`: every page of the portal at both widths, to docs/screenshots/, from a product of its own or EDGECARE_URL's.
import { mkdirSync, rmSync } from "node:fs";
import { chromium } from "@playwright/test";
import { PLACES, shownOf } from "../test/browser/places.ts";
import serve, { urlOfProduct } from "../test/browser/product.ts";
import { newWorld } from "../test/browser/world.ts";

const FOLDER = "docs/screenshots";
const SIZES = { desktop: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } };
const PICTURE = { type: "jpeg", quality: 70 };

/** A browser of this person's for each width; one login each. */
async function signedIn(browser, login, viewport) {
  const context = await browser.newContext({ viewport, locale: "en-IN", timezoneId: "Asia/Kolkata", baseURL: urlOfProduct() });
  if (login) {
    const data = { email: login.email, password: login.password, transport: "cookie" };
    const response = await context.request.post("/api/v1/auth/login", { data });
    if (!response.ok()) throw new Error(`${login.email} cannot sign in: ${response.status()}`);
  }
  return context.newPage();
}

async function picture(page, name, path, width) {
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForLoadState("networkidle", { timeout: 10_000 }).catch(() => undefined);
  // Charts and PDFs draw after their answers.
  await page.waitForTimeout(700);
  await page.screenshot({ path: `${FOLDER}/${name}-${width}.jpg`, ...PICTURE });
  console.log(`${name}-${width}.jpg`);
}

/** A person may ask a hundred times a minute, and a page asks up to ten times: nobody opens one sooner than this after the last. */
const APART_MS = 6_000;

/** Everybody's first pages, then everybody's second ones: people wait beside each other. */
function inTurn(places) {
  const turns = new Map();
  const turnOf = ({ as }) => turns.set(as, (turns.get(as) ?? 0) + 1).get(as);
  return places.map((place) => ({ place, turn: turnOf(place) })).sort((a, b) => a.turn - b.turn);
}

const end = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const { ids, logins } = await shownOf(await newWorld());
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [width, viewport] of Object.entries(SIZES)) {
    const pages = new Map();
    for (const { place } of inTurn(PLACES)) {
      const { name, as, path } = place;
      const { page, free } = pages.get(as) ?? { page: await signedIn(browser, logins[as], viewport), free: 0 };
      await page.waitForTimeout(Math.max(0, free - Date.now()));
      pages.set(as, { page, free: Date.now() + APART_MS });
      await picture(page, name, path(ids), width);
    }
    for (const { page } of pages.values()) await page.context().close();
  }
} finally {
  await browser.close();
  await end?.();
}
