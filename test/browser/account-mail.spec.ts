// Forgotten passwords and the e-mail address of the account, with the links of the mail that the local server sends.
import { logIn } from "./api.ts";
import { waitForMailedLink } from "./mail.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { uniqueText } from "./world.ts";

test("a forgotten password is asked for with the keyboard, and the answer names no account", async ({ open }) => {
  const page = await open(null, { path: "/login" });
  await page.getByRole("link", { name: "Forgotten password?" }).click();
  await expect(page.getByRole("heading", { name: "Reset your password" })).toBeVisible();
  await expect(page).toHaveURL(/\/forgot$/);
  await page.getByLabel("E-mail").fill("nobody");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("E-mail").fill(`${uniqueText()}@example.org`);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "a link is on its way" })).toBeVisible();
});

test("a link that is not valid leads to a new one, and leaves no token in the address bar", async ({ open }) => {
  const page = await open(null, { path: "/reset#token=ecp_nonsense" });
  await expect(page).toHaveURL(/\/reset$/);
  await page.getByLabel("Password", { exact: true }).fill("lanterns over seven hills");
  // All browsers of these tests have one address, which has few places in the queue of hashes: 503 when others sign in.
  await expect(async () => {
    await page.getByRole("button", { name: "Set password" }).click();
    await expect(page.getByRole("alert")).toContainText("invalid or has expired", { timeout: 5_000 });
  }).toPass();
  await page.getByRole("link", { name: "Ask for a new link" }).click();
  await expect(page).toHaveURL(/\/forgot$/);
  await page.goto("/verify-email#token=ecv_nonsense");
  await page.getByRole("button", { name: "Confirm the address" }).click();
  await expect(page.getByRole("alert")).toContainText("was used or has expired");
  await expect(page).toHaveURL(/\/verify-email$/);
});

test("the account shows an unverified address, sends its mail again and asks for another address", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/account" });
  await waitForPage(page);
  await expect(page.getByText("(not verified)")).toBeVisible();
  const again = page.getByRole("button", { name: "Send the mail again" });
  await again.click();
  await expect(page.getByText(/mail is on its way|less than a minute ago/).first()).toBeVisible();
  await again.click();
  await expect(page.getByRole("alert")).toContainText("less than a minute ago");
  await page.getByLabel("New e-mail address").fill(`${uniqueText()}@example.org`);
  const change = page.getByRole("button", { name: "Change the address" });
  const form = page.locator("form").filter({ has: change });
  await form.getByLabel("Current password").fill("not the password");
  await change.click();
  await expect(form.getByRole("alert")).toContainText("Incorrect current password");
  await form.getByLabel("Current password").fill(nurse.password);
  await change.click();
  await expect(page.getByText("A link is sent to the new address")).toBeVisible();
});

test("a verified address gets the link of a forgotten password, which works once and ends all sessions", async ({
  open,
  nurse,
}) => {
  const portal = await open(nurse, { path: "/account" });
  await waitForPage(portal);
  const page = await open(null, { path: await waitForMailedLink(nurse.email, "/verify-email") });
  await page.getByRole("button", { name: "Confirm the address" }).click();
  await expect(page.getByRole("status").filter({ hasText: "confirmed" })).toBeVisible();
  await portal.reload();
  await expect(portal.getByText("(verified)")).toBeVisible();

  await page.goto("/forgot");
  await page.getByLabel("E-mail").fill(nurse.email);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "a link is on its way" })).toBeVisible();
  const link = await waitForMailedLink(nurse.email, "/reset");
  const chosen = "seven rivers under lanterns";
  // Each in a page of its own: the token is in the fragment, whose change alone loads nothing.
  const redeem = async (password: string) => {
    const opened = await open(null, { path: link });
    await opened.getByLabel("Password", { exact: true }).fill(password);
    await opened.getByRole("button", { name: "Set password" }).click();
    return opened;
  };
  const first = await redeem(chosen);
  await expect(first.getByRole("status").filter({ hasText: "The new password is set" })).toBeVisible();
  await expect(first.getByRole("link", { name: "Ask for a new link" })).toHaveCount(0);
  await logIn({ ...nurse, password: chosen });
  await expect(logIn(nurse)).rejects.toThrow("401");
  await portal.reload();
  await expect(portal).toHaveURL(/\/login/);
  const second = await redeem("lanterns over nine hills");
  await expect(second.getByRole("alert")).toContainText("invalid or has expired");
});
