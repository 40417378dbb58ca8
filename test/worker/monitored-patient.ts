// Heart rate samples, and a monitored patient with an alert, for tests that go through all routes.
import { runDurableObjectAlarm } from "cloudflare:test";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { API, env, newPatient, readJson, sendRequest, type World } from "../world.ts";

export type MonitoredPatient = { id: string; alertId: string; observationId: string };

/** A heart rate. @param ago milliseconds before now */
export const createSample = (value: number, ago = 0) => ({
  code: "8867-4",
  value,
  unit: "/min",
  effective_at: new Date(Date.now() - ago).toISOString(),
});

/** A new patient in asystole, with the alert stored in D1. */
export async function createMonitoredPatient(
  { hospitalId, nurse, doctor }: World,
  ward_id: string | null = null,
): Promise<MonitoredPatient> {
  const { id } = await newPatient(hospitalId, nurse, [doctor]);
  const json = { monitoring: "home", ward_id };
  await sendRequest(`${API}/patients/${id}`, { as: nurse, method: "PATCH", json, headers: { "If-Match": '"1"' } });
  const sent = await sendRequest(`${API}/observations`, { as: nurse, json: { patient_id: id, ...createSample(0) } });
  await runDurableObjectAlarm(env.PATIENT_MONITOR.getByName(id));
  return { id, alertId: toAlertId(id, 1), observationId: (await readJson(sent)).data.results[0].observation_id };
}
