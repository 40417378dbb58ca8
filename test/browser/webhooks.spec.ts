// The page of webhooks: a new one with its secret, a test event that a local receiver verifies, the delivery log, and sending again.
import { Webhook } from "standardwebhooks";
import { logIn } from "./api.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { startReceiver } from "./receiver.ts";

const ORIGIN = process.env["WEBHOOK_TEST_ORIGINS"] ?? "";
test.skip(ORIGIN === "", "the server was started without a local receiver");

test("a webhook's secret is shown once, and verifies a test event that is sent again", async ({ open, world }) => {
  const receiver = await startReceiver(ORIGIN);
  try {
    receiver.answer.text = "thanks";
    const page = await open(world.people.manager, { path: "/admin/webhooks" });
    await waitForPage(page);
    await page.getByRole("button", { name: "New webhook" }).click();
    const form = page.getByRole("dialog", { name: "New webhook" });
    await form.getByLabel("Address (URL)").fill(`${ORIGIN}/events`);
    await form.getByLabel("Description").fill("Nurse call");
    await form.getByRole("button", { name: "New webhook" }).click();
    await expect(form.getByText("Choose at least one.").first()).toBeVisible();
    await form.getByLabel("Alarm raised").check();
    await form.getByRole("button", { name: "New webhook" }).click();
    const dialog = page.getByRole("dialog", { name: "Signing secret" });
    const secret = await dialog.getByLabel("Signing secret").inputValue();
    expect(secret).toMatch(/^whsec_/);
    await page.keyboard.press("Escape");
    await expect(dialog.getByLabel("Signing secret")).toHaveValue(secret);
    await dialog.getByRole("button", { name: "Close" }).click();
    await expect(dialog).toHaveCount(0);
    await page.reload();
    await waitForPage(page);
    expect(await page.content()).not.toContain(secret);
    const row = page.getByRole("row").filter({ hasText: `${ORIGIN}/events` });
    await expect(row).toContainText("Nurse call");
    await expect(row).toContainText("Active");
    await row.getByRole("button", { name: "Send test" }).click();
    await expect(page.getByText("Test sent.")).toBeVisible();
    await expect.poll(() => receiver.requests.length).toBe(1);
    const [first] = receiver.requests;
    const event = new Webhook(secret).verify(first?.body ?? "", first?.headers as Record<string, string>);
    expect(event).toMatchObject({ type: "webhook.test" });
    expect(() => new Webhook(secret).verify(`${first?.body} `, first?.headers as Record<string, string>)).toThrow();

    await row.getByRole("button", { name: "Delivery log" }).click();
    const log = page.getByRole("dialog", { name: "Delivery log" });
    const entry = log.getByRole("row").filter({ hasText: "Test" });
    for (const text of ["Delivered", "1 attempt", "200", "thanks"]) await expect(entry).toContainText(text);
    await entry.getByRole("button", { name: "Send again" }).click();
    await expect.poll(() => receiver.requests.length).toBe(2);
    await expect(entry).toContainText("2 attempts");
    expect(receiver.requests[1]?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(receiver.requests[1]?.body).toEqual(first?.body);
  } finally {
    await receiver.stop();
  }
});

test("a delivery that waits names its webhook, its next attempt and the service's reason, in both languages", async ({
  open,
  world,
}) => {
  const manager = await logIn(world.people.manager);
  // Nobody listens there.
  const json = { url: `${ORIGIN}/nobody`, description: "Lab computer", events: ["alert.raised"], include_data: false };
  const { webhook_id } = (await manager.ask("/webhooks", { json })).data;
  await manager.ask(`/webhooks/${webhook_id}/test`, { method: "POST" });
  const page = await open(world.people.manager, { path: "/admin/deliveries" });
  await waitForPage(page);
  const row = page.getByRole("row").filter({ hasText: "Lab computer" });
  await expect(async () => {
    await page.reload();
    await expect(row).toContainText("Next attempt at", { timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  await expect(row).toContainText("No connection, or no answer");
  await page.getByRole("button", { name: "हिन्दी", exact: true }).first().click();
  for (const text of ["अगला प्रयास", "कनेक्शन नहीं हुआ, या उत्तर नहीं आया"]) await expect(row).toContainText(text);
  await expect(page.getByText("No connection")).toHaveCount(0);
  await expect(page.getByRole("option", { name: "एसएमएस" })).toHaveCount(1);
});

test("a webhook that its receiver ends with 410 is shown as switched off", async ({ open, world }) => {
  const receiver = await startReceiver(ORIGIN);
  try {
    receiver.answer.status = 410;
    const manager = await logIn(world.people.manager);
    const json = { url: `${ORIGIN}/ended/by-the-receiver`, description: null, events: ["alert.raised"], include_data: false };
    await manager.ask("/webhooks", { json });
    const page = await open(world.people.manager, {
      path: "/admin/webhooks",
      context: { viewport: { width: 1280, height: 720 } },
    });
    await waitForPage(page);
    const row = page.getByRole("row").filter({ hasText: json.url });
    await expect(row.getByText("Active", { exact: true })).toBeVisible();
    await row.getByRole("button", { name: "Send test" }).click();
    await expect(row).toContainText("Switched off: the receiver has ended it", { timeout: 20_000 });
    await expect(row.getByRole("button", { name: "Send test" })).toHaveCount(0);
  } finally {
    await receiver.stop();
  }
});

test("an address that is not public is refused at its field, in the page's language", async ({ open, world }) => {
  const page = await open(world.people.manager, { path: "/admin/webhooks" });
  await waitForPage(page);
  await page.getByRole("button", { name: "New webhook" }).click();
  const form = page.getByRole("dialog", { name: "New webhook" });
  const url = form.getByLabel("Address (URL)");
  await form.getByLabel("Alarm raised").check();
  for (const [address, message] of [
    ["example.org", "Enter an address that starts with https://."],
    ["http://example.org/", "Enter an address that starts with https://."],
    ["https://10.0.0.1/", "Enter a public address"],
    ["https://ward.internal/", "Enter a public address"],
  ] as const) {
    await url.fill(address);
    await form.getByRole("button", { name: "New webhook" }).click();
    await expect(url).toHaveAccessibleDescription(new RegExp(message.replaceAll(".", "\\.")));
  }
});
