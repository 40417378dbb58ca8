// A doctor and a nurse of another hospital with valid URLs: no page shows any data, and all respond alike.
import type { Page } from "@playwright/test";
import type { Login } from "./api.ts";
import { createEcg, sendEcg, sendToQuarantine } from "./ecg.ts";
import { expect, test, waitForPage } from "./portal.ts";
import { desaturate, newWorld, type World } from "./world.ts";

type Visit = {
  open: (person: Login, opened: { path: string; before: (page: Page) => Promise<void> }) => Promise<Page>;
  go: (page: Page, path: string) => Promise<unknown>;
};

const NOT_FOUND = "Page not found, or you do not have access.";

/** Every address that shows something of a patient, and what must not be read there. */
let hidden = { patientId: "", addresses: [""], secrets: [""] };
let elsewhere: World;

test.beforeAll(async ({ world }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await desaturate(monitor);
  const { report_id: report } = await sendEcg(world.clerk, await createEcg(patient), patient);
  const upload = await sendToQuarantine(await world.newDevice(null, "ecg"), await createEcg(patient));
  let alert = "";
  await expect(async () => {
    alert = (await world.clerk.ask(`/alerts?patient_id=${patient.id}`)).data[0].alert_id;
  }).toPass();
  const addresses = [
    `/patients/${patient.id}`,
    `/patients/${patient.id}/vitals`,
    `/patients/${patient.id}/alarms`,
    `/patients/${patient.id}/limits`,
    `/patients/${patient.id}/reports`,
    `/patients/${patient.id}/devices`,
    `/patients/${patient.id}/history`,
    `/patients/${patient.id}/timeline`,
    `/patients/${patient.number}`,
    `/reports/${report}`,
    `/uploads/${upload}`,
    `/alarms/${alert}`,
    `/devices/${monitor.id}`,
    `/admin/users/${world.people.nurse.id}`,
  ];
  const secrets = [patient.name.split(" ")[1] ?? "", "1964", "04 Mar", "4 Mar", "SpO₂ 84", "ecg_0412"];
  hidden = { patientId: patient.id, addresses, secrets };
  elsewhere = await newWorld();
});

/** Visits addresses and checks each page, and all live messages. */
async function visit(person: Login, addresses: readonly string[], { open, go }: Visit): Promise<void> {
  const frames: string[] = [];
  const page = await open(person, {
    path: "/account",
    before: async (page) => {
      page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
    },
  });
  await waitForPage(page);
  for (const path of addresses) {
    await go(page, path);
    await expect(page.getByText(NOT_FOUND).first(), path).toBeVisible();
    const text = await page.locator("body").textContent();
    for (const secret of hidden.secrets) expect(text, path).not.toContain(secret);
  }
  await expect.poll(() => frames.length, "live messages of the person's own hospital").toBeGreaterThan(0);
  expect(frames.join("")).not.toContain(hidden.patientId);
}

// A person each: one would send more than 100 requests per minute.
for (const role of ["doctor", "nurse"] as const) {
  for (const half of [0, 1]) {
    test(`addresses of another hospital's patients show a ${role} nothing of them (half ${half + 1} of 2)`, async ({ open }) => {
      const addresses = hidden.addresses.filter((_, i) => i % 2 === half);
      expect(addresses.length).toBeGreaterThan(6);
      await visit(await elsewhere.newPerson(role), addresses, { open, go: (page, path) => page.goto(path) });
    });
  }
}

test("nor does a page that goes to them without being loaded again", async ({ open }) => {
  const follow = (page: Page, path: string) => page.evaluate((path) => history.pushState(null, "", path), path);
  await visit(elsewhere.people.nurse, hidden.addresses, {
    open,
    async go(page, path) {
      // Between two addresses another page is shown, so that the message is that of the second.
      await follow(page, "/account");
      await expect(page.getByText(NOT_FOUND)).toHaveCount(0);
      await follow(page, path);
    },
  });
});
