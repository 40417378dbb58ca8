// Passkeys with Chromium's virtual authenticator, which the headless shell does not have: `WHOLE_BROWSER` of chromium.ts.
import { readFileSync } from "node:fs";
import type { CDPSession, Page } from "@playwright/test";
import { faultsOf } from "./axe-check.ts";
import { expect } from "./portal.ts";

/** An authenticator built into the device, which verifies its user. */
export async function addAuthenticator(page: Page) {
  const devtools: CDPSession = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    setPresent: (enabled: boolean) => devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
    setVerified: (isUserVerified: boolean) => devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
  };
}

export async function addPasskey(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Add a passkey" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a passkey" });
  await dialog.getByLabel("Name").fill(name);
  expect(await faultsOf(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Create passkey" }).click();
}

/** Reads the codes and closes their dialog. */
export async function keepRecoveryCodes(page: Page): Promise<string[]> {
  const dialog = page.getByRole("dialog", { name: "Recovery codes" });
  await expect(dialog.getByRole("listitem")).toHaveCount(10);
  const codes = await dialog.getByRole("listitem").allTextContents();
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 5);
  expect(await faultsOf(page)).toEqual([]);
  const download = page.waitForEvent("download");
  await dialog.getByRole("button", { name: "Save as text" }).click();
  const text = readFileSync(await (await download).path(), "utf8");
  expect(text.trim().split("\n").slice(-10)).toEqual(codes);
  await dialog.getByRole("button", { name: "I have kept the codes" }).click();
  await expect(dialog).toHaveCount(0);
  return codes;
}
