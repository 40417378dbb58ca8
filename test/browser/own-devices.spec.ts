// A patient's own devices: registered, seen with their last data, and removed.
import { logIn } from "./api.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { productUrl } from "./product.ts";

test("a patient adds a watch, sees when it last sent data, and removes it", async ({ open }) => {
  const login = { email: `wearer-${crypto.randomUUID()}@example.org`, password: "seven wide rivers 42" };
  const registered = await fetch(`${productUrl()}/api/v1/auth/register/patient`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...login, full_name: "Meera Iyer" }),
  });
  expect(registered.status).toBe(201);
  const page = await open(login, { path: "/me/devices" });
  await waitForPage(page);
  await expect(page.getByText("You have not added a device of your own.")).toBeVisible();
  await page.getByRole("button", { name: "Add a device" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Blue watch");
  await dialog.getByRole("button", { name: "Add a device" }).click();
  const item = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Blue watch" }) });
  await expect(item).toContainText("Wearable · no measurements yet");

  const wearer = await logIn(login);
  const { data: devices } = await wearer.ask("/wearables/devices");
  const metrics = [{ timestamp: new Date().toISOString(), heart_rate: 72 }];
  await wearer.ask("/wearables/sync", { json: { device_id: devices[0].device_id, metrics } });
  await page.reload();
  await expect(item).toContainText("last data");

  await item.getByRole("button", { name: "Remove Blue watch" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("You have not added a device of your own.")).toBeVisible();
});
