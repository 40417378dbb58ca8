// `npm run screenshots`: capture every portal page at both widths to docs/screenshots/, from a new server or EDGECARE_URL.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { chromium } from "@playwright/test";
import { logIn } from "../test/browser/api.ts";
import { createPortalContent, PORTAL_PAGES } from "../test/browser/portal-pages.ts";
import startProduct, { productUrl } from "../test/browser/product.ts";
import { NORMAL_VALUES, newWorld } from "../test/browser/world.ts";

const FOLDER = "docs/screenshots";
const SIZES = { desktop: { width: 1366, height: 768 }, phone: { width: 390, height: 844 } };
const SCREENSHOT_OPTIONS = { type: "jpeg", quality: 70 };

const PERSON_TITLES = {
  nobody: "Signed out",
  nurse: "Nurse",
  doctor: "Doctor",
  manager: "Hospital administrator",
  patient: "Patient",
};

/** All screenshots on one page, grouped by user. */
function renderIndex() {
  const of = (as) => PORTAL_PAGES.filter((place) => place.as === as);
  const shown = ({ name }) => [
    `### ${name}`,
    "",
    `![${name}, desktop](${name}-desktop.jpg) ![${name}, phone](${name}-phone.jpg)`,
    "",
  ];
  const part = ([as, who]) => [`## ${who}`, "", ...of(as).flatMap(shown)];
  const lead =
    "Every page of the portal at 1366 × 768 and 390 × 844, with generated data. Create them with `npm run screenshots`.";
  return ["# Screenshots of the portal", "", lead, "", ...Object.entries(PERSON_TITLES).flatMap(part)].join("\n");
}

/** One browser per width for this user; one login each. */
async function openSignedInPage(browser, login, viewport) {
  const context = await browser.newContext({ viewport, locale: "en-IN", timezoneId: "Asia/Kolkata", baseURL: productUrl() });
  if (login) {
    const data = { email: login.email, password: login.password, transport: "cookie" };
    const response = await context.request.post("/api/v1/auth/login", { data });
    if (!response.ok()) throw new Error(`${login.email} cannot sign in: ${response.status()}`);
  }
  return context.newPage();
}

async function takeScreenshot(page, name, path, width) {
  await page.goto(path);
  await page
    .getByRole("heading", { level: 1 })
    .first()
    .waitFor()
    .catch(async () => {
      throw new Error(`${name} has no heading: ${await page.locator("body").textContent()}`);
    });
  await page.waitForLoadState("networkidle", { timeout: 10_000 }).catch(() => undefined);
  // Charts and PDFs are drawn after their responses.
  await page.waitForTimeout(700);
  await page.screenshot({ path: `${FOLDER}/${name}-${width}.jpg`, ...SCREENSHOT_OPTIONS });
  console.log(`${name}-${width}.jpg`);
}

/** Minimum time between two pages of one user: the limit is 100 requests per minute, and a page sends up to ten. */
const MIN_PAGE_INTERVAL_MS = 6_000;

/** The first page of every user, then the second ones: users wait concurrently. */
function interleaveByPerson(places) {
  const turns = new Map();
  const turnOf = ({ as }) => turns.set(as, (turns.get(as) ?? 0) + 1).get(as);
  return places.map((place) => ({ place, turn: turnOf(place) })).sort((a, b) => a.turn - b.turn);
}

const MINUTE_MS = 60_000;
/** Six hours, with as many values as a chart of six hours has points. */
const HISTORY = { hours: 6, everyMinutes: 5 };
const BEDS = 14;
const CHARTED = ["heart_rate", "respiratory_rate", "spo2", "systolic", "diastolic", "temperature"];

/** A value at a time in the past or future: it oscillates, with a different amplitude per patient. */
function valueAt(vital, base, bed, at) {
  const swing = { heart_rate: 9, respiratory_rate: 2, spo2: 1, systolic: 8, diastolic: 5, temperature: 0.4 }[vital] ?? 0;
  const hours = at / 3_600_000;
  const value = base + swing * (Math.sin(hours * 2.1 + bed) + 0.4 * Math.sin(hours * 37 + 3 * bed));
  const digits = vital === "temperature" ? 1 : 0;
  return Math.min(vital === "spo2" ? 100 : Number.POSITIVE_INFINITY, Number(value.toFixed(digits)));
}

function currentValues(values, bed) {
  return Object.fromEntries(Object.entries(values).map(([vital, base]) => [vital, valueAt(vital, base, bed, Date.now())]));
}

/** Adds history for every patient, fills more beds, and lets the monitors send until the returned function is called. */
async function startActivity(world, { beds }) {
  const all = [...beds];
  // One user's limit of 100 requests per minute is not enough.
  const clerk = await logIn(await world.newPerson("nurse"));
  for (let bed = 0; bed < BEDS; bed++) {
    const patient = await world.newPatient({}, clerk);
    all.push({
      patient,
      monitor: await world.newMonitor(patient, clerk),
      values: { ...NORMAL_VALUES, heart_rate: 64 + 3 * bed },
    });
  }
  const begin = Date.now() - HISTORY.hours * 60 * MINUTE_MS;
  for (const [bed, { patient }] of all.entries()) {
    const times = Array.from(
      { length: (HISTORY.hours * 60) / HISTORY.everyMinutes - 1 },
      (_, i) => begin + i * HISTORY.everyMinutes * MINUTE_MS,
    );
    const written = times.flatMap((at) =>
      CHARTED.map((vital) => ({ vital, value: valueAt(vital, NORMAL_VALUES[vital], bed, at), at })),
    );
    await world.writeDown(patient, written);
  }
  let going = true;
  const sending = (async () => {
    while (going) {
      await Promise.all(all.map(({ monitor, values }, bed) => monitor.send(currentValues(values, bed)).catch(() => undefined)));
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    }
  })();
  return async () => {
    going = false;
    await sending;
  };
}

const end = await startProduct();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
});
try {
  const world = await newWorld({ plain: true });
  const shown = await createPortalContent(world);
  const { ids, logins } = shown;
  const stop = await startActivity(world, shown);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [width, viewport] of Object.entries(SIZES)) {
    const pages = new Map();
    for (const { place } of interleaveByPerson(PORTAL_PAGES)) {
      const { name, as, path } = place;
      const { page, free } = pages.get(as) ?? { page: await openSignedInPage(browser, logins[as], viewport), free: 0 };
      await page.waitForTimeout(Math.max(0, free - Date.now()));
      pages.set(as, { page, free: Date.now() + MIN_PAGE_INTERVAL_MS });
      await takeScreenshot(page, name, path(ids), width);
    }
    for (const { page } of pages.values()) await page.context().close();
  }
  await stop();
  writeFileSync(`${FOLDER}/README.md`, renderIndex());
} finally {
  await browser.close();
  await end?.();
}
