// Emergency access for tests: a person with a record at each of two hospitals, and the settings of both.
import { sql } from "drizzle-orm";
import { getDb } from "../src/platform/db/client.ts";
import { makeOfficer } from "./privacy-rows.ts";
import { API, env, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "./world.ts";

export const REASON = "Unconscious after a fall; allergies are needed";

/** A record at A and one at B, linked to one login; the doctors are in no care team of it. */
export async function newEmergencyScene(linked = true) {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  await link(person, atA);
  if (linked) await link(person, atB);
  const [officerA, officerB] = [await newPerson("nurse", a.hospitalId), await newPerson("nurse", b.hospitalId)];
  for (const officer of [officerA, officerB]) await makeOfficer(officer);
  return { a, b, person, atA, atB, officerA, officerB };
}
export type EmergencyScene = Awaited<ReturnType<typeof newEmergencyScene>>;

export const setReach = (hospitalId: string, reach: "none" | "own_hospital" | "any_hospital") =>
  getDb(env.DB).run(sql`UPDATE hospitals SET emergency_reach = ${reach} WHERE id = ${hospitalId}`);

export const startAccess = (as: Person, patientId: string | number, change: object = {}, headers = {}) =>
  sendRequest(`${API}/emergency-access`, {
    as,
    method: "POST",
    json: { patient_id: String(patientId), reason: REASON, purpose: "BTG", ...change },
    headers,
  });

/** @returns the id */
export async function openInEmergency(as: Person, patientId: string, reason = REASON): Promise<string> {
  const { data } = await readJson(await startAccess(as, patientId, { reason }));
  return data.emergency_access_id;
}
