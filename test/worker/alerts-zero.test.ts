// Values of 0 through the front door: what a device sends in one request, and the alarms that staff see.
import { expect, it } from "vitest";
import { API, env, newDevice, newPatient, newWorld, readJson, sendRequest } from "../world.ts";

type SentSample = readonly [code: string, value: number, unit: string];
const HEART_RATE = "8867-4";
const PULSE: SentSample = ["8889-8", 70, "/min"];
const ASYSTOLE: SentSample = [HEART_RATE, 0, "/min"];

it("is an emergency unless the device itself shows that its sensor is off", async () => {
  const { hospitalId, nurse } = await newWorld();
  const alarmsOf = async (samples: readonly SentSample[], conditions?: string[]) => {
    const patient = await newPatient(hospitalId, nurse);
    const path = `${API}/patients/${patient.id}`;
    await sendRequest(path, { as: nurse, method: "PATCH", json: { monitoring: "ward" }, headers: { "If-Match": '"1"' } });
    const device = await newDevice(nurse, patient.id, "bedside_monitor");
    const effective_at = new Date().toISOString();
    const items = samples.map(([code, value, unit]) => ({ code, value, unit, effective_at }));
    const sent = await sendRequest(`${API}/observations`, {
      as: device,
      json: { samples: items, ...(conditions && { conditions }) },
    });
    expect((await readJson(sent)).data.refused).toBe(0);
    const { alerts } = (await env.PATIENT_MONITOR.getByName(patient.id).snapshot()) ?? { alerts: [] };
    return alerts.map(({ rule, priority, code }) => `${rule} ${priority} ${code}`);
  };
  expect(await alarmsOf([ASYSTOLE])).toEqual([`limit high ${HEART_RATE}`]);
  expect(await alarmsOf([ASYSTOLE, ["9279-1", 16, "/min"], ["8480-6", 120, "mm[Hg]"]])).toEqual([`limit high ${HEART_RATE}`]);
  expect(await alarmsOf([ASYSTOLE, PULSE])).toEqual([`technical medium ${HEART_RATE}`]);
  expect(await alarmsOf([ASYSTOLE], ["leads_off"])).toEqual(["technical low null"]);
  expect(await alarmsOf([["8310-5", 0, "Cel"]])).toEqual(["technical medium 8310-5"]);
});
