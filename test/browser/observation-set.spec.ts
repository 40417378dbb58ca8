// A set of observations at the bedside: by keyboard alone, on a phone, and without a network.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import { endSessions } from "./api.ts";
import { findFocusFault, tabThroughPage, tabTo } from "./focus-check.ts";
import { expect, signIn, signInAgain, test, waitForPage } from "./portal.ts";
import type { Patient, World } from "./world.ts";

const ROUTE = "**/observation-sets";
const formOf = ({ id }: Patient) => `/patients/${id}/observations/new`;
const fileButton = (page: Page) => page.getByRole("button", { name: /^File / });
const notSent = (page: Page) => page.getByRole("button", { name: /sets? not sent/ });

async function fill(page: Page, values: Partial<Record<string, string>> = {}): Promise<void> {
  await waitForPage(page);
  const typed = {
    "Respiratory rate": "18",
    "Oxygen saturation": "97",
    Systolic: "124",
    Diastolic: "78",
    Pulse: "76",
    Temperature: "37.1",
    ...values,
  };
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label, { exact: true }).fill(text ?? "");
  await page.getByLabel("Air", { exact: true }).check();
  await page.getByLabel("A · Alert").check();
}

const storedRates = async ({ clerk }: World, { id }: Patient): Promise<number[]> =>
  (await clerk.ask(`/patients/${id}/observations?code=respiratory_rate`)).data.map(({ value }: { value: number }) => value);
const scoreOf = async ({ clerk }: World, { id }: Patient) => (await clerk.ask(`/patients/${id}/observations/latest`)).data.news2;

/** What the browser keeps: fields of the records, and whether a key could leave it. */
const readKept = (page: Page) =>
  page.evaluate(async () => {
    const settle = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settle(indexedDB.open("edgecare.waiting-sets"));
    const read = (name: string) => settle(database.transaction(name).objectStore(name).getAll());
    const [sets, keys] = [await read("sets"), await read("keys")];
    database.close();
    return { fields: sets.map((set) => Object.keys(set).sort()), extractable: keys.map(({ key }) => key.extractable) };
  });

/** Changes the first set that the browser keeps, or adds it under another id. Arrays become bytes. */
const changeKept = (page: Page, change: Record<string, string | number | number[]>) =>
  page.evaluate(async (fields) => {
    const settle = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settle(indexedDB.open("edgecare.waiting-sets"));
    const store = database.transaction("sets", "readwrite").objectStore("sets");
    const [first] = await settle(store.getAll());
    const toStored = (value: string | number | number[]) => (Array.isArray(value) ? new Uint8Array(value).buffer : value);
    const changed = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toStored(value)]));
    await settle(store.put({ ...first, ...changed }));
    database.close();
  }, change);

/** Keystroke time of a practised typist who is no typist by trade (keystroke-level model, Card, Moran and Newell 1980): 0.28 s. */
const KEYSTROKE_S = 0.28;

test("a full set is entered and filed by keyboard alone, within ten seconds of a practised hand", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}` });
  await waitForPage(page);
  await tabTo(page, page.getByRole("main").getByRole("link", { name: "Enter observations" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Respiratory rate" })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  let presses = 0;
  const press = async (key: string) => {
    presses++;
    await page.keyboard.press(key);
  };
  const began = performance.now();
  await press("Tab");
  for (const value of ["18", "97", " ", "124", "78", "76", " ", "37.1"]) {
    for (const key of value) await press(key);
    await press("Enter");
  }
  await expect(page.getByRole("button", { name: "File NEWS2 0, low risk" })).toBeFocused();
  await press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Observations filed." })).toBeFocused();
  const machineS = (performance.now() - began) / 1000;
  test.info().annotations.push({ type: "keys", description: `${presses} keys, ${machineS.toFixed(1)} s of the machine` });
  expect(presses * KEYSTROKE_S).toBeLessThan(10);
  expect(await scoreOf(world, patient)).toMatchObject({ status: "complete", score: 0 });
  expect(await storedRates(world, patient)).toEqual([18]);
});

test("a far-out value is confirmed beside it, a missing one needs a reason, and a changed scale is asked again", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: formOf(patient) });
  await fill(page, { Pulse: "172", Temperature: "" });
  await expect(page.getByText("At least 3 so far")).toBeVisible();
  await fileButton(page).click();
  const summary = page.getByRole("alert").filter({ hasText: "Check the following fields" });
  await expect(summary).toBeFocused();
  await expect(summary).toContainText("Pulse: Unusual value");
  await expect(summary).toContainText("Enter temp, or select why not.");
  await page.getByLabel("172 /min is right").check();
  await page.getByLabel("Temperature", { exact: true }).fill("37.1");
  await page.getByLabel("Oxygen", { exact: true }).check();
  await page.getByLabel("Oxygen flow").fill("2");
  await expect(page.getByRole("button", { name: "File NEWS2 5, medium risk" })).toBeVisible();
  await changeScale(world, patient);
  await fileButton(page).click();
  await expect(page.getByRole("alert").filter({ hasText: "scale of this patient was changed" })).toBeVisible();
  expect(await storedRates(world, patient)).toEqual([]);
  await page.getByRole("button", { name: "File NEWS2 8, high risk" }).click();
  await expect(page.getByText("Observations filed.")).toBeVisible();
  expect(await scoreOf(world, patient)).toMatchObject({ score: 8 });
});

async function changeScale({ clerk }: World, { id }: Patient): Promise<void> {
  const path = `/patients/${id}/monitoring`;
  const { version } = (await clerk.ask(path)).data;
  await clerk.ask(path, { method: "PATCH", json: { spo2_scale: 2 }, headers: { "If-Match": `"${version}"` } });
}

test("a set whose answer is lost waits over a reload, encrypted, and is stored once", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: formOf(patient) });
  const context = page.context();
  let attempts = 0;
  await context.route(ROUTE, async (route) => {
    // The first request arrives and its answer does not; the others do not arrive.
    if (attempts++ === 0) await route.fetch();
    await route.abort();
  });
  const otherTab = await context.newPage();
  await otherTab.goto("/account");
  await waitForPage(otherTab);
  await fill(page);
  await fileButton(page).click();
  await expect(page.getByText("Not sent yet.")).toBeVisible();
  await expect(notSent(otherTab)).toBeVisible();
  await page.reload();
  await waitForPage(page);
  await expect(notSent(page)).toHaveText(/1 set not sent/);
  await expect(page.getByRole("region", { name: "Observations not sent" })).toContainText("Not sent.");
  expect(await readKept(page)).toEqual({ fields: [["id", "iv", "measuredAt", "owner", "sealed"]], extractable: [false] });
  let sent = 0;
  await context.unroute(ROUTE);
  context.on("response", (response) => {
    if (response.url().endsWith("/observation-sets")) sent++;
  });
  await expect(notSent(page)).toHaveCount(0, { timeout: 30_000 });
  await expect(notSent(otherTab)).toHaveCount(0);
  expect(sent).toBe(1);
  expect(await storedRates(world, patient)).toEqual([18]);
  expect((await readKept(page)).fields).toEqual([]);
});

test("a set of thirteen hours ago is sent only when its owner says so", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: formOf(patient) });
  let attempts = 0;
  await page.route(ROUTE, (route) => {
    attempts++;
    return route.abort();
  });
  await fill(page);
  await page.getByRole("button", { name: "Earlier…" }).click();
  const time = page.getByLabel("Time of measurement");
  const then = Date.parse(`${await time.inputValue()}:00Z`) - 13 * 3_600_000;
  await time.fill(new Date(then).toISOString().slice(0, 16));
  await fileButton(page).click();
  const waiting = page.getByRole("region", { name: "Observations not sent" });
  await expect(waiting).toContainText("measured more than 12 hours ago");
  await page.unroute(ROUTE);
  await page.reload();
  await waitForPage(page);
  await expect(waiting).toContainText("measured more than 12 hours ago");
  // A network that comes back sends what waits, and not this.
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect(waiting).toBeVisible();
  expect(attempts).toBe(1);
  expect(await storedRates(world, patient)).toEqual([]);
  await waiting.getByRole("button", { name: "Send now" }).click();
  await expect(waiting).toHaveCount(0);
  expect(await storedRates(world, patient)).toEqual([18]);
});

test("signing out warns and deletes what waits; another person learns of it, and sees no content", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const leaveWaiting = async (page: Page) => {
    await page.goto(formOf(patient));
    await fill(page);
    await fileButton(page).click();
    await expect(notSent(page)).toBeVisible();
  };
  const page = await open(nurse, { path: "/account", before: (page) => page.route(ROUTE, (route) => route.abort()) });
  await leaveWaiting(page);
  await page.getByRole("button", { name: nurse.name }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  const question = page.getByRole("dialog", { name: "1 set of observations is not sent" });
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await question.getByRole("button", { name: "Delete and sign out" }).click();
  await expect(page).toHaveURL(/\/login/);
  expect(await readKept(page)).toEqual({ fields: [], extractable: [] });

  await signIn(page.request, nurse);
  await leaveWaiting(page);
  const other = await world.newPerson("nurse");
  const visitAs = async (person: Parameters<typeof signIn>[1]) => {
    await signIn(page.request, person);
    await page.goto(`/patients/${patient.id}`);
    await waitForPage(page);
    await expect(notSent(page)).toBeVisible();
  };
  const region = page.getByRole("region", { name: "Observations not sent" });
  const list = page.getByRole("dialog", { name: "Observations not sent" });
  await visitAs(other);
  await expect(region).toHaveCount(0);
  await notSent(page).click();
  await expect(list).toContainText("Never sent by another person, whose session expired: 1 set. Measured:");
  await expect(list).not.toContainText("RR");
  await visitAs(nurse);
  await expect(region).toContainText("RR 18");

  await changeKept(page, { measuredAt: Date.now() - 13 * 3_600_000 });
  await visitAs(other);
  await expect.poll(async () => (await readKept(page)).fields).toEqual([["id", "iv", "measuredAt", "owner"]]);
  await notSent(page).click();
  await expect(list).toContainText("and deleted after 12 hours: 1 set.");
  await list.getByRole("button", { name: "Discard", exact: true }).click();
  await expect(notSent(page)).toHaveCount(0);
  expect(await readKept(page)).toEqual({ fields: [], extractable: [] });
  expect(await storedRates(world, patient)).toEqual([]);
});

test("another person discards knowingly; sign-out counts unreadable sets and one in its first attempt", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const held = Promise.withResolvers<void>();
  const page = await open(nurse, { path: "/account", before: (page) => page.route(ROUTE, () => held.promise) });
  await page.goto(formOf(patient));
  await fill(page);
  await fileButton(page).click();
  await expect.poll(async () => (await readKept(page)).fields.length).toBe(1);
  await changeKept(page, { id: crypto.randomUUID(), sealed: new Array(40).fill(0) });
  await page.getByRole("button", { name: nurse.name }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  const question = page.getByRole("dialog", { name: "2 sets of observations are not sent" });
  await question.getByRole("button", { name: "Cancel" }).click();

  await signIn(page.request, await world.newPerson("nurse"));
  await page.goto("/account");
  await waitForPage(page);
  await notSent(page).click();
  await page.getByRole("button", { name: "Discard…" }).click();
  const sure = page.getByRole("dialog", { name: "Discard 2 sets of another person?" });
  await sure.getByRole("button", { name: "Discard" }).click();
  await expect(notSent(page)).toHaveCount(0);
  expect((await readKept(page)).fields).toEqual([]);
  held.resolve();
});

test("what was entered outlasts an expired session, and an incomplete set of a refusal is filed", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: formOf(patient) });
  await waitForPage(page);
  const rate = page.getByRole("textbox", { name: "Respiratory rate" });
  await rate.fill("18");
  await endSessions(nurse);
  // The live line loses its right first, and the page asks for a new ticket.
  await expect(page.getByRole("dialog", { name: "Session expired" })).toBeVisible({ timeout: 30_000 });
  await expect(rate).toHaveCount(0);
  await signInAgain(page, nurse);
  await expect(rate).toHaveValue("18");
  await page.getByLabel("Refused", { exact: true }).check();
  await page.getByRole("button", { name: "File incomplete set" }).click();
  await expect(page.getByText("Incomplete set filed.")).toBeVisible();
  expect(await scoreOf(world, patient)).toMatchObject({ status: "incomplete" });
  expect(await storedRates(world, patient)).toEqual([18]);
});

test("a child's observations are filed without a score, and the form says why", async ({ open, world, nurse }) => {
  const patient = await world.newPatient({ date_of_birth: "2021-03-04" });
  const page = await open(nurse, { path: formOf(patient) });
  await expect(page.getByText("No score: under 16 years. These observations get no score.")).toBeVisible();
  await page.getByLabel("Respiratory rate", { exact: true }).fill("18");
  await page.getByRole("button", { name: "File observations" }).click();
  await expect(page.getByText("Observations filed.")).toBeVisible();
  expect(await storedRates(world, patient)).toEqual([18]);
  await page.goto(`/patients/${patient.id}/limits`);
  await expect(page.getByText("NEWS2 does not apply under 16: limits alone raise alarms.")).toBeVisible();
});

test("a set that the service refuses is not sent again, and is corrected in the form", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: formOf(patient) });
  await page.route(ROUTE, (route) => route.abort());
  await fill(page);
  await fileButton(page).click();
  await expect(notSent(page)).toBeVisible();
  await changeScale(world, patient);
  let answered = 0;
  page.on("response", (response) => {
    if (response.url().endsWith("/observation-sets")) answered++;
  });
  await page.unroute(ROUTE);
  const waiting = page.getByRole("region", { name: "Observations not sent" });
  await expect(waiting).toContainText("Not filed: the service refused it.", { timeout: 30_000 });
  await page.reload();
  await waitForPage(page);
  await waiting.getByRole("button", { name: "Correct…" }).click();
  await expect(page.getByRole("textbox", { name: "Respiratory rate" })).toHaveValue("18");
  await page.getByRole("button", { name: "File NEWS2 0, low risk" }).click();
  await expect(page.getByText("Observations filed.")).toBeVisible();
  await expect(waiting).toHaveCount(0);
  expect(answered).toBe(2);
  expect(await storedRates(world, patient)).toEqual([18]);
});

test("beyond twenty sets, and for sets that cannot be read, the portal says so", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: formOf(patient) });
  await waitForPage(page);
  await page.evaluate(async (owner) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("edgecare.waiting-sets");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const transaction = database.transaction("sets", "readwrite");
    for (let i = 0; i < 20; i++) {
      transaction.objectStore("sets").add({ id: `s${i}`, owner, iv: new Uint8Array(12), sealed: new ArrayBuffer(40) });
    }
    await new Promise((resolve) => {
      transaction.oncomplete = resolve;
    });
    database.close();
  }, nurse.id);
  await page.reload();
  await page.route(ROUTE, (route) => route.abort());
  await fill(page);
  await fileButton(page).click();
  await expect(page.getByRole("alert").filter({ hasText: "20 sets wait already" })).toBeVisible();
  await notSent(page).click();
  const dialog = page.getByRole("dialog", { name: "Observations not sent" });
  await expect(dialog).toContainText("20 sets cannot be read any more.");
  await dialog.getByRole("button", { name: "Discard", exact: true }).click();
  await expect(notSent(page)).toHaveCount(0);
  await page.unroute(ROUTE);
  await fileButton(page).click();
  await expect(page.getByText("Observations filed.")).toBeVisible();
});

test("a browser that keeps nothing says so, and the form keeps the set until it is stored once", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, {
    path: formOf(patient),
    before: (page) =>
      page.addInitScript(() => {
        IDBFactory.prototype.open = () => {
          throw new DOMException("private", "SecurityError");
        };
      }),
  });
  await expect(page.getByText("This browser cannot keep sets")).toBeVisible();
  let attempts = 0;
  await page.route(ROUTE, async (route) => {
    if (attempts++ === 0) await route.fetch();
    await route.abort();
  });
  await fill(page);
  await fileButton(page).click();
  await expect(page.getByRole("alert").filter({ hasText: "this browser cannot keep it" })).toBeVisible();
  await page.unroute(ROUTE);
  await fileButton(page).click();
  await expect(page.getByText("Observations filed.")).toBeVisible();
  expect(await storedRates(world, patient)).toEqual([18]);
});

test("a store that answers too late: the set is unknown to be kept, and filing it again stores it once", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, {
    path: formOf(patient),
    before: (page) =>
      page.addInitScript(() => {
        // The first write reaches the disk, and its end is never told.
        const end = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, "oncomplete");
        let isFirst = true;
        Object.defineProperty(IDBTransaction.prototype, "oncomplete", {
          ...end,
          set(this: IDBTransaction, handler: unknown) {
            const isSetAlone =
              this.mode === "readwrite" && this.objectStoreNames.length === 1 && this.objectStoreNames.contains("sets");
            if (isSetAlone && isFirst) isFirst = false;
            else end?.set?.call(this, handler);
          },
        });
      }),
  });
  let attempts = 0;
  await page.route(ROUTE, async (route) => {
    if (attempts++ === 0) await route.fetch();
    await route.abort();
  });
  await fill(page);
  await fileButton(page).click();
  await expect(page.getByRole("alert").filter({ hasText: "it is unknown whether this browser keeps it" })).toBeVisible();
  await expect.poll(async () => (await readKept(page)).fields.length).toBe(1);
  await page.unroute(ROUTE);
  await fileButton(page).click();
  await expect(page.getByText("Observations filed.")).toBeVisible();
  await expect.poll(async () => (await readKept(page)).fields).toEqual([]);
  expect(await storedRates(world, patient)).toEqual([18]);
});

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

test("on a phone of 360 px with errors and a waiting set: nothing overflows, targets are 44 px, axe finds nothing", async ({
  open,
  world,
  nurse,
}) => {
  const patient = await world.newPatient();
  const page = await open(nurse, {
    path: formOf(patient),
    context: { viewport: { width: 360, height: 740 } },
    before: (page) => page.route(ROUTE, (route) => route.abort()),
  });
  await fill(page);
  await fileButton(page).click();
  await expect(page.getByText("Not sent yet.")).toBeVisible();
  await page.getByRole("button", { name: "Enter another set" }).click();
  await page.getByLabel("Oxygen", { exact: true }).check();
  await page.getByLabel("Pulse", { exact: true }).fill("172");
  await page.getByRole("button", { name: "Earlier…" }).click();
  await fileButton(page).click();
  await expect(page.getByRole("alert").filter({ hasText: "Check the following fields" })).toBeFocused();
  expect(await page.getByLabel("Pulse", { exact: true }).getAttribute("inputmode")).toBe("numeric");
  expect(await page.getByLabel("Temperature", { exact: true }).getAttribute("inputmode")).toBe("decimal");
  for (const language of ["English", "हिन्दी"]) {
    await page.getByRole("button", { name: language, exact: true }).first().click();
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run: (options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run({ resultTypes: ["violations"] });
      const targets = [
        ...document.querySelectorAll(
          "main form input:not([type=radio], [type=checkbox]), main form label:has(input), main form button",
        ),
      ];
      return {
        violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
        small: targets
          .filter((target) => target.getBoundingClientRect().height < 43.5)
          .map(({ outerHTML }) => outerHTML.slice(0, 120)),
        sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      };
    });
    expect(found, language).toEqual({ violations: [], small: [], sideways: 0 });
  }
  // As with counts of many alarms: the header has three lines.
  await page.locator("header").evaluate((header) => {
    header.style.minHeight = "150px";
  });
  await page.keyboard.press("Tab");
  for (let y = 40; y <= 320; y += 40) {
    await page.evaluate((top) => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      scrollTo(0, top);
    }, y);
    await page.getByRole("link", { name: "सारांश" }).focus();
    expect(await findFocusFault(page), `scrolled by ${y} px`).toBeNull();
  }
  // The score, the tabs of the phone and what sticks at the top cover nothing that has the focus.
  expect((await tabThroughPage(page)).faults).toEqual([]);
});
