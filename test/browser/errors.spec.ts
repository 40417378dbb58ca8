// Error ids: the id that the page shows finds the line in the server's log.
import type { Locator } from "@playwright/test";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { readProductLog } from "./product.ts";

/** The log line of the problem with this id: one JSON object per line. */
function loggedOf(errorId: string): string | undefined {
  return readProductLog()
    ?.split("\n")
    .find((line) => line.startsWith("{") && line.includes(`"error_id":"${errorId}"`));
}

async function idIn(place: Locator): Promise<string> {
  const text = await place.locator("code").textContent();
  const [id] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(text ?? "") ?? [];
  if (!id) throw new Error(`no id in "${text}"`);
  return id;
}

test.beforeEach(() => {
  test.skip(readProductLog() === null, "the log of a server that runs already is not here");
});

test("a rejected page shows an error id, and the log has it with the code and the status", async ({ open, nurse }) => {
  const page = await open(nurse, { path: "/patients/01900000-0000-7000-8000-000000000000" });
  await expect(page.getByText("Page not found, or you do not have access.").first()).toBeVisible();
  const id = await idIn(page.getByRole("main"));
  await expect.poll(() => loggedOf(id)).toMatch(/problem not_found/);
  expect(loggedOf(id)).toMatch(/"status":404[,}]/);
  expect(loggedOf("01900000-0000-7000-8000-000000000000")).toBeUndefined();
});

test("a rejected change (edit conflict) shows an error id that is in the log", async ({ open, world, nurse }) => {
  const patient = await world.newPatient();
  const page = await open(nurse, { path: `/patients/${patient.id}/limits` });
  await waitForPage(page);
  await page.getByRole("button", { name: "Change limits: Oxygen saturation" }).click();
  await page.getByLabel("Low limit: source", { exact: true }).selectOption("own");
  await page.getByLabel("Low limit: custom value", { exact: true }).fill("88");
  await page.getByRole("button", { name: "Review" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Lower limit" })).toBeVisible();
  await world.clerk.ask(`/patients/${patient.id}/alert-rules/${CODES.spo2}`, { method: "PUT", json: { low: 89 } });
  await dialog.getByRole("button", { name: "Lower limit" }).click();
  const refused = dialog.getByRole("alert");
  await expect(refused).toBeVisible();
  const id = await idIn(refused);
  await expect.poll(() => loggedOf(id)).toMatch(/problem precondition/);
  const { rules } = (await world.clerk.ask(`/patients/${patient.id}/alert-rules`)).data;
  expect(rules.find(({ code }: { code: string }) => code === CODES.spo2)).toMatchObject({ limits: { low: 89 } });
});
