// Navigation: focus, titles, keyboard, and the tabs on phones.
import { expect, test, waitForPage } from "./portal.ts";
import { nextFrames } from "./probe.ts";

test("a new page moves the focus to its heading and sets the window title, without a patient's name", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: "/ward" });
  await waitForPage(page);
  const titles = new Set([await page.title()]);
  for (const name of ["Alarms", "Patients", "Uploads", "Ward"]) {
    await page.getByRole("navigation", { name: "Main navigation" }).getByRole("link", { name }).click();
    await waitForPage(page);
    await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
    await expect(page).toHaveTitle(/ · EdgeCare$/);
    titles.add(await page.title());
  }
  expect(titles.size).toBe(4);
  await page.goto(`/patients/${patient.id}`);
  await waitForPage(page);
  await expect(page).toHaveTitle(new RegExp(`${patient.number}.* · EdgeCare$`));
});

test("no single key triggers an action", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: "/ward" });
  for (const path of ["/ward", "/alarms", "/patients", `/patients/${patient.id}`, `/patients/${patient.id}/vitals`]) {
    await page.goto(path);
    await waitForPage(page);
    await page.getByRole("heading", { level: 1 }).first().focus();
    const asked: string[] = [];
    page.on("request", (request) => request.method() !== "GET" && asked.push(`${request.method()} ${request.url()}`));
    for (const key of "abcdefghijklmnopqrstuvwxyz0123456789/?.+-#!") await page.keyboard.press(key);
    await nextFrames(page);
    expect(new URL(page.url()).pathname).toBe(path);
    await expect(page.getByRole("dialog")).toHaveCount(0);
    expect(asked.filter((line) => !line.includes("/live/tickets") && !line.includes("/auth/refresh"))).toEqual([]);
  }
});

test("shortcuts with Ctrl and Alt+Shift search, show alarms and list the shortcuts; closing a dialog restores the focus", async ({
  open,
  nurse,
}) => {
  const page = await open(nurse, { path: "/patients" });
  await waitForPage(page);
  const heading = page.getByRole("heading", { level: 1 });
  await heading.focus();
  await page.keyboard.press("Control+/");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(heading).toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Search patients" })).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Alt+Shift+A");
  await expect(page).toHaveURL(/\/alarms$/);
});

test("search finds a patient by the beginning of a name, and no address or store keeps what was typed", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const [, last = ""] = patient.name.split(" ");
  const page = await open(nurse, { path: "/patients" });
  await waitForPage(page);
  await page.keyboard.press("Control+k");
  await page.keyboard.type(last.slice(0, 14));
  const option = page.getByRole("option", { name: new RegExp(last) });
  await expect(option).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/patients/${patient.id}`));
  await expect(page.getByText(patient.name).first()).toBeVisible();
});

test("language and theme change in place, and stay", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/alarms" });
  await waitForPage(page);
  await page.getByRole("button", { name: "हिन्दी" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/[\u0900-\u097f]/);
  await page.getByRole("button", { name: nurse.name }).click();
  await page.getByRole("menuitem", { name: "गहरा" }).click();
  await page.reload();
  await waitForPage(page);
  await expect(page.locator("html")).toHaveAttribute("lang", "hi");
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
});

test("a language whose messages cannot be loaded is not chosen, and can be tried again", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/alarms" });
  await waitForPage(page);
  const isCatalogue = /\/portal\/hi-[\w-]+\.js$/;
  await page.route(isCatalogue, (route) => route.abort());
  await page.getByRole("button", { name: "हिन्दी" }).click();
  await expect(page.getByRole("banner").getByRole("alert")).toContainText("no response from the server");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Alarms");
  await page.unroute(isCatalogue);
  await page.getByRole("button", { name: "हिन्दी" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/[\u0900-\u097f]/);
  await expect(page.getByRole("banner").getByRole("alert")).toHaveCount(0);
});

test("of two languages that are chosen quickly the last one stays", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/alarms" });
  await waitForPage(page);
  const slow = Promise.withResolvers<void>();
  const loaded = page.waitForResponse(/\/portal\/hi-[\w-]+\.js$/);
  await page.route(/\/portal\/hi-[\w-]+\.js$/, async (route) => {
    await slow.promise;
    await route.continue();
  });
  await page.getByRole("button", { name: "हिन्दी" }).click();
  await page.getByRole("button", { name: "English" }).click();
  slow.resolve();
  await (await loaded).finished();
  await nextFrames(page, 10);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Alarms");
});

test("a screen that starts without its messages says so, and starts by itself when they are there", async ({ open, nurse }) => {
  const isCatalogue = /\/portal\/en-[\w-]+\.js$/;
  const page = await open(nurse, { path: "/alarms", before: (page) => page.route(isCatalogue, (route) => route.abort()) });
  await expect(page.getByText("EdgeCare does not answer.")).toBeVisible();
  await page.unroute(isCatalogue);
  await waitForPage(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Alarms");
});

test("a phone has tabs at its foot that a thumb can hit", async ({ open, nurse }) => {
  const page = await open(nurse, {
    path: "/alarms",
    context: { viewport: { width: 390, height: 844 }, hasTouch: true },
  });
  await waitForPage(page);
  const links = page.getByRole("navigation", { name: "Main navigation" }).getByRole("link");
  for (const link of await links.all()) {
    const box = await link.boundingBox();
    expect(box?.height ?? 0).toBeGreaterThanOrEqual(44);
    expect(box?.y ?? 0).toBeGreaterThan(700);
  }
});
