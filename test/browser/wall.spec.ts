// A doctor of another hospital with valid URLs: no page shows any data, and all respond alike.
import { createEcg, sendEcg, sendToQuarantine } from "./ecg.ts";
import { expect, test } from "./portal.ts";
import { desaturate, newWorld } from "./world.ts";

test("addresses of another hospital's patients show nothing of them", async ({ open, world }) => {
  const patient = await world.newPatient();
  const monitor = await world.newMonitor(patient);
  await desaturate(monitor);
  const { report_id: report } = await sendEcg(world.clerk, await createEcg(patient), patient);
  const upload = await sendToQuarantine(await world.newDevice(null, "ecg"), await createEcg(patient));
  let alert = "";
  await expect(async () => {
    alert = (await world.clerk.ask(`/alerts?patient_id=${patient.id}`)).data[0].alert_id;
  }).toPass();

  const { people } = await newWorld();
  for (const person of [people.doctor, people.nurse]) {
    const page = await open(person, { path: `/patients/${patient.id}` });
    const frames: string[] = [];
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
    for (const path of [
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
    ]) {
      await page.goto(path);
      await expect(page.getByText("Page not found, or you do not have access.").first(), path).toBeVisible();
      const text = await page.locator("body").textContent();
      for (const secret of [patient.name.split(" ")[1] ?? "", "1964", "04 Mar", "4 Mar", "SpO₂ 84", "ecg_0412"]) {
        expect(text, path).not.toContain(secret);
      }
    }
    expect(frames.join("")).not.toContain(patient.id);
  }
});
