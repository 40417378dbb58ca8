// Notifications from the alarm to the bell, by keyboard, and the administrator's list of deliveries.
import { createECDH, randomBytes } from "node:crypto";
import type { Page } from "@playwright/test";
import { logIn } from "./api.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { startReceiver } from "./receiver.ts";
import { newWorld, type World } from "./world.ts";

/** The second origin: push.spec.ts listens on the first. */
const PUSH_ORIGIN = process.env["PUSH_TEST_ORIGINS"]?.split(",")[1] ?? "";

/** One alarm: without a complete set there is no score that raises another. */
async function raiseAlarm({ newPatient, newMonitor }: World): Promise<void> {
  const monitor = await newMonitor(await newPatient());
  await monitor.send({ spo2: 84 });
}

const bellOf = (page: Page, name: string) => page.getByRole("banner").getByRole("button", { name, exact: true });

test("an alarm reaches the bell without a reload, and the panel is worked by keyboard", async ({ open }) => {
  // Of their own: a nurse is told of all patients of the hospital that nobody in particular has.
  const world = await newWorld();
  const { nurse } = world.people;
  const page = await open(nurse, { path: "/ward" });
  await waitForPage(page);
  await expect(bellOf(page, "Notifications")).toBeVisible();
  await page.evaluate(() => Object.assign(window, { isSamePage: true }));
  await raiseAlarm(world);
  await expect(bellOf(page, "1 unread notification")).toBeVisible();
  await raiseAlarm(world);
  await raiseAlarm(world);
  const bell = bellOf(page, "3 unread notifications");
  await expect(bell).toBeVisible();

  await bell.focus();
  await page.keyboard.press("Enter");
  const panel = page.getByRole("dialog", { name: "Notifications" });
  await expect(panel.getByText("New: High priority: New alarm")).toHaveCount(3);
  await panel.getByRole("button", { name: "Mark as read: High priority: New alarm" }).first().focus();
  await page.keyboard.press("Enter");
  await expect(panel.getByText("New: High priority: New alarm")).toHaveCount(2);
  await page.keyboard.press("Escape");
  await expect(panel).toHaveCount(0);
  await expect(bellOf(page, "2 unread notifications")).toBeFocused();

  await page.keyboard.press("Enter");
  await panel.getByRole("link", { name: "Open: High priority: New alarm" }).first().focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/alarms\/[\w-]+$/);
  await bellOf(page, "1 unread notification").click();
  await panel.getByRole("button", { name: "Mark all as read" }).focus();
  await page.keyboard.press("Enter");
  await expect(panel.getByText("New: High priority: New alarm")).toHaveCount(0);
  await expect(panel.getByText("High priority: New alarm", { exact: true })).toHaveCount(3);
  await page.keyboard.press("Escape");
  await expect(bellOf(page, "Notifications")).toBeFocused();
  expect(await page.evaluate(() => "isSamePage" in window)).toBe(true);
});

test("a failed delivery is listed with the provider's answer, and sent again by an administrator", async ({ open }) => {
  const world = await newWorld();
  const { nurse } = world.people;
  test.skip(PUSH_ORIGIN === "", "the server was started without a second local push service");
  const service = await startReceiver(PUSH_ORIGIN);
  try {
    Object.assign(service.answer, { status: 400, text: "no such device" });
    const p256dh = createECDH("prime256v1").generateKeys().toString("base64url");
    const keys = { p256dh, auth: randomBytes(16).toString("base64url") };
    const endpoint = `${PUSH_ORIGIN}/send/${randomBytes(8).toString("hex")}`;
    await (await logIn(nurse)).ask("/push/subscriptions", { json: { endpoint, keys } });
    await raiseAlarm(world);
    await expect.poll(() => service.requests.length).toBe(1);

    const page = await open(world.people.manager, { path: "/admin/deliveries" });
    await waitForPage(page);
    await page.getByLabel("Channel").selectOption("Push");
    await page.getByLabel("Status").selectOption("Failed");
    const row = page.getByRole("row").filter({ hasText: nurse.name });
    for (const text of ["New alarm", "Push", "Failed", "400 no such device"]) await expect(row).toContainText(text);
    service.answer.status = 201;
    await row.getByRole("button", { name: "Resend" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Resend" }).click();
    await expect.poll(() => service.requests.length).toBe(2);
    await page.getByLabel("Status").selectOption("Accepted");
    // The outcome is stored a moment after the provider's answer; the list is read when it is opened.
    await expect(async () => {
      await page.reload();
      await expect(row).toContainText("201", { timeout: 2_000 });
    }).toPass({ timeout: 20_000 });
    await expect(row.getByRole("button", { name: "Resend" })).toHaveCount(0);
    await page.reload();
    await waitForPage(page);
    await expect(page.getByLabel("Status")).toHaveValue("accepted");
    await expect(row).toContainText("Accepted");
  } finally {
    await service.stop();
  }
});
