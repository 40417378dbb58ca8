// Progress of a key rotation: what remains is a number once every store is counted, and unknown before.
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { faultsOf } from "./axe-check.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld } from "./world.ts";

const PLATFORM = { email: "adm@demo.com", password: DEMO_PASSWORD };
const PHONE = { viewport: { width: 390, height: 844 } };

const STORE = { unreadable: 0, phase_started_at: "2026-11-29T10:00:00.000Z" };
const COUNTED = {
  ...STORE,
  store: "patients",
  phase: "sealing",
  values: { f1: 120, f2: 40 },
  counted_at: "2026-11-29T10:00:00.000Z",
};
const UNCOUNTED = { ...STORE, store: "reports", phase: "counting", values: null, counted_at: null };
const key = (key_id: string, values: number | null) => ({ key_id, in_ring: true, values, can_be_dropped: false });

test("with one key nothing remains, and nothing claims to be counted", async ({ open }) => {
  const page = await open(PLATFORM, { path: "/admin/keys" });
  await waitForPage(page);
  await expect(page.getByText("One key is in use.")).toBeVisible();
  await expect(page.getByRole("table", { name: "Keys" })).toContainText("Not counted yet");
  await expect(page.getByText("No store has been counted yet.")).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);
});

// The test server has one key, so the answers of the service during a rotation are written here.
test("during a rotation uncounted values are unknown, and counted ones are numbers", async ({ open }) => {
  let status: object = { current_key_id: "f2", keys: [key("f2", null), key("f1", null)], stores: [COUNTED, UNCOUNTED] };
  const page = await open(PLATFORM, {
    path: "/admin/keys",
    context: PHONE,
    before: (before) => before.route("**/api/v1/admin/keys", (route) => route.fulfill({ json: { data: status } })),
  });
  await waitForPage(page);
  await expect(page.getByText("How many values remain is unknown until every store has been counted.")).toBeVisible();
  await expect(page.getByText("Replaced files are deleted an hour after their replacement")).toBeVisible();
  await expect(page.getByRole("heading", { name: "How to rotate" })).toBeVisible();
  const stores = page.getByRole("table", { name: "Stores" });
  await expect(stores.getByRole("row").filter({ hasText: "patients" })).toContainText("f1: 120, f2: 40");
  const uncounted = stores.getByRole("row").filter({ hasText: "reports" });
  await expect(uncounted).toContainText("Not counted yet");
  for (const column of [2, 3, 4, 5]) await expect(uncounted.getByRole("cell").nth(column)).toHaveText("Not counted yet");
  for (const language of ["हिन्दी", "English"]) {
    await page.getByRole("button", { name: language, exact: true }).first().click();
    expect(await faultsOf(page)).toEqual([]);
  }

  const counted = { ...UNCOUNTED, phase: "sealing", values: { f2: 7 }, counted_at: COUNTED.counted_at };
  status = { current_key_id: "f2", keys: [key("f2", 47), key("f1", 120)], stores: [COUNTED, counted] };
  await page.reload();
  await waitForPage(page);
  await expect(page.getByText("Not under the current key: 120")).toBeVisible();
  await expect(stores.getByRole("row").filter({ hasText: "reports" }).getByRole("cell").nth(3)).toHaveText("0");
});

test("an administrator of a hospital has no page of keys", async ({ open }) => {
  const { people } = await newWorld();
  const page = await open(people.manager, { path: "/admin/keys" });
  await waitForPage(page);
  await expect(page.getByText("Page not found, or you do not have access.")).toBeVisible();
  await expect(page.getByRole("link", { name: "Key rotation" })).toHaveCount(0);
});
