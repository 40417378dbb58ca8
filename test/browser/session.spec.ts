// Sign-in, return to the requested page, and the end of a session.
import { endSessions } from "./api.ts";
import { expect, signInAgain, test, waitForPage } from "./portal.ts";

test("signs in through the form, with one message for a wrong name and a wrong password", async ({ open, nurse }) => {
  const page = await open(null, { path: "/patients" });
  await expect(page).toHaveURL(/\/login\?next=/);
  const sign = async (name: string, password: string) => {
    await page.getByLabel("E-mail or user name").fill(name);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  };
  const said: (string | null)[] = [];
  for (const name of ["nobody@example.org", nurse.email]) {
    await sign(name, "not the password");
    await expect(page.getByRole("alert")).toContainText("Incorrect e-mail, user name or password");
    said.push(await page.getByRole("alert").locator("p").first().textContent());
  }
  expect(new Set(said).size).toBe(1);
  await sign(nurse.email, nurse.password);
  await expect(page).toHaveURL(/\/patients$/);
  await waitForPage(page);
});

test("every address opens its own page after a reload, and pages of other roles do not open", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  // Two nurses: one would send more than 100 requests per minute.
  for (const [person, paths] of [
    [nurse, ["/ward", "/alarms?state=active", `/patients/${patient.id}/alarms`]],
    [await world.newPerson("nurse"), ["/uploads/quarantine", "/account"]],
  ] as const) {
    const page = await open(person, { path: `/patients/${patient.id}/vitals` });
    for (const path of paths) {
      await page.goto(path);
      await waitForPage(page);
      const title = await page.title();
      await page.reload();
      await waitForPage(page);
      expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(path);
      await expect(page).toHaveTitle(title);
    }
  }
  const page = await open(await world.newPerson("nurse"), { path: "/account" });
  for (const path of ["/admin/users", "/me", "/patients/nobody/at/all"]) {
    await page.goto(path);
    await expect(page.getByText(/Page not found, or you do not have access|No such/).first()).toBeVisible();
  }
});

test("a session that ends shows a dialog and no patient; signed in again, one is where one was", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}` });
  await expect(page.getByText(patient.name).first()).toBeVisible();
  await endSessions(nurse);
  const dialog = page.getByRole("dialog", { name: "Session expired" });
  // The next request gets the 401: the one for this link, unless the page sent another before.
  const link = page.getByRole("navigation").getByRole("link", { name: "Patients" });
  await expect(async () => {
    if (await dialog.isHidden()) await link.click({ timeout: 2_000 });
    await expect(dialog).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  const was = page.url();
  await expect(page.getByText(patient.name)).toHaveCount(0);
  await expect(page.locator("main")).toBeEmpty();
  await signInAgain(page, nurse);
  await expect(page).toHaveURL(was);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});

test("an expired access token is renewed once for all concurrent requests, without an error", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/patients" });
  await waitForPage(page);
  let renewals = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/auth/refresh")) renewals++;
  });
  const refused = new Set<string>();
  await page.route(/\/api\/v1\/(?!auth)/, async (route) => {
    const url = route.request().url();
    if (renewals > 0 || refused.has(url)) return route.fallback();
    refused.add(url);
    return route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"code":"unauthenticated"}' });
  });
  await page.getByRole("navigation").getByRole("link", { name: "Uploads" }).click();
  await expect(page).toHaveURL(/\/uploads$/);
  await expect.poll(() => refused.size).toBeGreaterThan(0);
  await waitForPage(page);
  expect(renewals).toBe(1);
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a page opened while the server is down shows an error, and recovers by itself", async ({ open, nurse }) => {
  let isDown = true;
  const page = await open(nurse, {
    path: "/patients",
    before: (page) => page.route("**/api/v1/auth/refresh", (route) => (isDown ? route.abort() : route.fallback())),
  });
  await expect(page.getByRole("heading", { level: 1, name: "EdgeCare" })).toBeVisible();
  await expect(page.getByRole("alert")).toBeVisible();
  isDown = false;
  await expect(page.getByRole("heading", { level: 1, name: "Patients" })).toBeVisible();
});

test("signing out removes everything", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/patients" });
  await waitForPage(page);
  await page.getByRole("button", { name: nurse.name }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login$/);
  await page.goto("/patients");
  await expect(page).toHaveURL(/\/login\?next=/);
  const kept = await page.evaluate(() => ({
    cookies: document.cookie,
    keys: Object.keys(localStorage),
    values: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]),
  }));
  expect(kept).toEqual({ cookies: "", keys: expect.anything(), values: expect.not.stringMatching(/eyJ|ec[ar]_|@/) });
  expect(kept.keys.filter((key) => !/^(edgecare\.|mantine-)/.test(key))).toEqual([]);
});
