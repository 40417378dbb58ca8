// Second steps in the browser: passkeys with Chromium's virtual authenticator, an authenticator app, recovery codes, the hospital's
// policy, and the question who somebody is before a dangerous change.
import type { Locator, Page } from "@playwright/test";
import { Secret, TOTP } from "otpauth";
import type { Login } from "./api.ts";
import { faultsOf } from "./axe-check.ts";
import { WHOLE_BROWSER } from "./chromium.ts";
import { patiently } from "./extent.ts";
import { tabTo } from "./focus-check.ts";
import { addAuthenticator, addPasskey, keepRecoveryCodes } from "./passkeys.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { newWorld } from "./world.ts";

test.use({ launchOptions: { executablePath: process.env["CHROMIUM"] ?? WHOLE_BROWSER, args: ["--no-sandbox"] } });
test.setTimeout(patiently(120_000));

const PHONE = { viewport: { width: 390, height: 844 } };

/** Shows at the document that the page asked the browser for a passkey, and how. */
const noteRequests = (page: Page) =>
  page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      document.documentElement.dataset["asked"] = options?.mediation ?? "dialog";
      return get(options);
    };
  });

async function signOut(page: Page): Promise<void> {
  await page.goto("/account");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).first().click();
  await expect(page).toHaveURL(/\/login/);
}

async function enterPassword(page: Page, { email, password }: Login): Promise<void> {
  await page.getByLabel("E-mail or user name").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** The day in the hospital's zone. */
const dayFromNow = (days: number) =>
  new Date(Date.now() + days * 86_400_000).toLocaleDateString("en-CA", { timeZone: "Asia/Kolkata" });

const openPolicy = async (page: Page): Promise<Locator> => {
  const card = page.locator("details").filter({ has: page.getByRole("heading", { name: "Second step" }) });
  if ((await card.getAttribute("open")) === null) await card.locator("summary").click();
  return card;
};

async function requireSecondStep(page: Page, day: string): Promise<void> {
  const card = await openPolicy(page);
  await card.getByLabel("Doctor: required from").fill(day);
  const saved = page.waitForResponse(
    (response) => response.url().endsWith("/factor-policy") && response.request().method() === "PUT",
  );
  await card.getByRole("button", { name: "Save" }).click();
  expect((await saved).status()).toBe(200);
  await expect(card.getByRole("status")).toHaveText("Saved.");
}

test("a hospital requires a second step: a doctor is reminded, enrols a passkey and signs in with it", async ({ open }) => {
  const { hospital, people } = await newWorld();
  const { manager, doctor } = people;
  const desk = await open(manager, { path: `/admin/hospitals/${hospital.hospital_id}` });
  await waitForPage(desk);
  await requireSecondStep(desk, dayFromNow(7));

  const page = await open(doctor, { path: "/patients", context: PHONE, before: noteRequests });
  await waitForPage(page);
  await expect(page.getByText("your hospital requires a second step to sign in")).toBeVisible();
  expect(await faultsOf(page)).toEqual([]);

  await requireSecondStep(desk, dayFromNow(0));
  const other = await open(doctor, { path: "/account/security" });
  await waitForPage(other);
  const authenticator = await addAuthenticator(page);
  await page.goto("/patients");
  await expect(page).toHaveURL(/\/account\/security$/);
  await expect(page.getByRole("alert")).toContainText("your hospital requires a second step");
  await expect(page.getByRole("navigation")).toHaveCount(0);
  for (const language of ["हिन्दी", "English"]) {
    await page.getByRole("button", { name: language, exact: true }).click();
    expect(await faultsOf(page)).toEqual([]);
  }
  await addPasskey(page, "Phone");
  const [recoveryCode = ""] = await keepRecoveryCodes(page);
  await expect(page.getByRole("table", { name: "Passkeys" })).toContainText("Phone");
  await expect(page.getByRole("navigation")).toHaveCount(1);
  await expect(page.getByText("10 codes are left.")).toBeVisible();

  await page.getByRole("button", { name: "Rename Phone" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Pocket");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("table", { name: "Passkeys" })).toContainText("Pocket");

  await page.getByRole("button", { name: "Delete Pocket" }).click();
  const removal = page.getByRole("dialog", { name: "Delete the passkey Pocket?" });
  await expect(removal).toContainText("You must set up another at once");
  await removal.getByRole("button", { name: "Cancel" }).click();

  // Somebody who is present chooses the suggestion at once.
  await page.goto("/account");
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).first().click();
  await expect(page).toHaveURL(/\/patients/);
  await waitForPage(page);

  await authenticator.setPresent(false);
  await signOut(page);
  await expect(page.getByLabel("E-mail or user name")).toHaveAttribute("autocomplete", "username webauthn");
  await expect(page.locator("html[data-asked=conditional]")).toHaveCount(1);
  await authenticator.setPresent(true);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page).toHaveURL(/\/patients/);
  await waitForPage(page);

  await authenticator.setPresent(false);
  await signOut(page);
  await enterPassword(page, doctor);
  const step = page.getByRole("region", { name: "Second step" });
  await expect(step.getByRole("button", { name: "Use a passkey" })).toBeFocused();
  await authenticator.setPresent(true);
  await authenticator.setVerified(false);
  await step.getByRole("button", { name: "Use a passkey" }).click();
  await expect(step.getByRole("alert")).toContainText("No passkey was used");
  expect(await faultsOf(page)).toEqual([]);
  await authenticator.setVerified(true);
  await step.getByRole("button", { name: "Use a passkey" }).click();
  await expect(page).toHaveURL(/\/patients/);

  // A session from before the enrolment has not had its second step.
  await other.goto("/patients");
  const question = other.getByRole("dialog", { name: "Confirm that it is you" });
  await expect(question.getByRole("button", { name: "Use a passkey" })).toBeVisible();
  expect(await faultsOf(other)).toEqual([]);
  await other.keyboard.press("Escape");
  await expect(question).toHaveCount(0);
  await expect(other.getByRole("navigation")).toHaveCount(0);
  await other.getByRole("button", { name: "Continue" }).click();
  await question.getByLabel("Recovery code", { exact: true }).fill(recoveryCode);
  await other.keyboard.press("Enter");
  await expect(other.getByRole("heading", { level: 1, name: "Patients" })).toBeVisible();
  await expect(other.getByRole("navigation")).toHaveCount(1);
});

test("an authenticator app is set up by its key, and its codes and recovery codes finish a sign-in", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/account/security" });
  await waitForPage(page);
  await page.getByRole("button", { name: "Set up the authenticator app" }).click();
  const dialog = page.getByRole("dialog", { name: "Set up the authenticator app" });
  await expect(dialog.getByRole("img", { name: "QR code for the authenticator app" })).toBeVisible();
  const key = (await dialog.getByText(/^[A-Z2-7]{4}$/).allTextContents()).join("");
  expect(await faultsOf(page)).toEqual([]);
  const app = new TOTP({ secret: Secret.fromBase32(key) });
  await dialog.getByLabel("Code of the authenticator app").fill("000000");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await expect(dialog.getByRole("alert")).toContainText("incorrect");
  await dialog.getByLabel("Code of the authenticator app").fill(app.generate());
  await dialog.getByRole("button", { name: "Confirm" }).click();
  const [recoveryCode = ""] = await keepRecoveryCodes(page);

  await signOut(page);
  await enterPassword(page, nurse);
  const step = page.getByRole("region", { name: "Second step" });
  const field = step.getByLabel("Code of the authenticator app");
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute("inputmode", "numeric");
  await expect(field).toHaveAttribute("autocomplete", "one-time-code");
  await page.keyboard.type("000000");
  await page.keyboard.press("Enter");
  await expect(step.getByRole("alert")).toContainText("incorrect");
  // The code of now was used at the confirmation; the next one is accepted half a minute early.
  await field.fill(app.generate({ timestamp: Date.now() + 30_000 }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/ward/);

  await signOut(page);
  await enterPassword(page, nurse);
  await tabTo(page, step.getByRole("button", { name: "Use a recovery code" }));
  await page.keyboard.press("Enter");
  await step.getByLabel("Recovery code", { exact: true }).fill(recoveryCode.toUpperCase());
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/ward/);
  await page.goto("/account/security");
  await expect(page.getByText("9 codes are left.")).toBeVisible();

  await signOut(page);
  await enterPassword(page, nurse);
  await page.route("**/auth/login/second-step", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ code: "invalid_ticket" }) }),
  );
  await field.fill("123456");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("Enter your password again");
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
});

test("a change that needs a recent sign-in asks once, and goes on or says that it was not done", async ({ open }) => {
  const { hospital, people } = await newWorld();
  const page = await open(people.manager, { path: `/admin/hospitals/${hospital.hospital_id}` });
  await waitForPage(page);
  let refusals = 0;
  const refuse = {
    status: 401,
    contentType: "application/problem+json",
    body: '{"code":"step_up_required","step_up":"sign_in"}',
  };
  const sent: string[] = [];
  await page.route("**/factor-policy", async (route) => {
    if (route.request().method() !== "PUT") return route.continue();
    sent.push(route.request().postData() ?? "");
    return refusals-- > 0 ? route.fulfill(refuse) : route.continue();
  });
  const save = (await openPolicy(page)).getByRole("button", { name: "Save" });
  await page.getByLabel("Nurse: required from").fill(dayFromNow(30));
  refusals = 1;
  await save.click();
  const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
  await expect(dialog.getByLabel("Password", { exact: true })).toBeFocused();
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("alert").filter({ hasText: "not confirmed that it is you" })).toBeVisible();
  expect(sent).toHaveLength(1);

  refusals = 1;
  await save.click();
  await dialog.getByLabel("Password", { exact: true }).fill("not the password at all");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("alert")).toContainText("Incorrect");
  await dialog.getByLabel("Password", { exact: true }).fill(people.manager.password);
  const saved = page.waitForResponse((response) => response.url().endsWith("/factor-policy") && response.status() === 200);
  await page.keyboard.press("Enter");
  await saved;
  await expect(dialog).toHaveCount(0);
  expect(sent).toHaveLength(3);
  expect(sent[2]).toBe(sent[1]);

  // Without a second step of their own, managers cannot reset that of others.
  await page.goto(`/admin/users/${people.nurse.id}`);
  await page.getByRole("button", { name: "Reset second step" }).click();
  const confirmation = page.getByRole("dialog", { name: /^Reset the second step of/ });
  expect(await faultsOf(page)).toEqual([]);
  await confirmation.getByRole("button", { name: "Reset second step" }).click();
  await expect(dialog).toContainText("Add a passkey or an authenticator app first");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(confirmation.getByRole("alert")).toContainText("not confirmed that it is you");
  await addAuthenticator(page);
  await page.goto("/account/security");
  await addPasskey(page, "Key");
  await keepRecoveryCodes(page);
  await page.goto(`/admin/users/${people.nurse.id}`);
  await page.getByRole("button", { name: "Reset second step" }).click();
  await confirmation.getByRole("button", { name: "Reset second step" }).click();
  await expect(page.getByText("Second step reset.")).toBeVisible();
});
