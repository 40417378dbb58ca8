// Emergency access for tests: a person with a record at each of two hospitals, and the settings of both.
import { sql } from "drizzle-orm";
import { sealReason } from "../src/emergency-access/rows.ts";
import { getKeys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { getDb } from "../src/platform/db/client.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { makeOfficer } from "./privacy-rows.ts";
import {
  API,
  env,
  link,
  newHospital,
  newPatient,
  newPerson,
  newWorld,
  type Person,
  readJson,
  sendRequest,
  uniqueText,
} from "./world.ts";

export const REASON = "Unconscious after a fall; allergies are needed";

/** Staff has seen one government number for these records. */
export async function identifyAsOne(...patientIds: string[]): Promise<void> {
  const uid = uniqueText();
  for (const id of patientIds) await identify(id, uid);
}

export const identify = (patientId: string, uid: string | null, basis: "staff" | "self" = "staff") =>
  getDb(env.DB).run(sql`UPDATE patients SET patient_uid = ${uid}, uid_basis = ${uid && basis} WHERE id = ${patientId}`);

/** A record at A and one at B, linked to one login and of one person; the doctors are in no care team of it. */
export async function newEmergencyScene(isKnownPerson = true) {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  if (isKnownPerson) await identifyAsOne(atA.id, atB.id);
  const [officerA, officerB] = [await newPerson("nurse", a.hospitalId), await newPerson("nurse", b.hospitalId)];
  for (const officer of [officerA, officerB]) await makeOfficer(officer);
  return { a, b, person, atA, atB, officerA, officerB };
}
export type EmergencyScene = Awaited<ReturnType<typeof newEmergencyScene>>;

export const setReach = (hospitalId: string, reach: "none" | "own_hospital" | "any_hospital") =>
  getDb(env.DB).run(sql`UPDATE hospitals SET emergency_reach = ${reach} WHERE id = ${hospitalId}`);

export const startAccess = (as: Person, patientId: string | number, change: object = {}, headers = {}, over?: Env) =>
  sendRequest(`${API}/emergency-access`, {
    as,
    method: "POST",
    json: { ...emergencyBody(patientId), ...change },
    headers,
    ...(over && { env: over }),
  });

/** @returns the id */
export async function openInEmergency(as: Person, patientId: string, reason = REASON): Promise<string> {
  const { data } = await readJson(await startAccess(as, patientId, { reason }));
  return data.emergency_access_id;
}

export const emergencyBody = (patientId: string | number, reason = REASON) => ({
  patient_id: String(patientId),
  reason,
  purpose: "BTG",
});
export const delayBody = () => ({
  reason: "Another person reads this patient's messages",
  days: 1,
});

/** A patient of a new hospital, who has a record at the person's hospital too; both hospitals allow to reach each other. */
export async function newReachedPatient(reader: Person): Promise<string> {
  const [row] = await getDb(env.DB).all<{ id: string }>(
    sql`SELECT hospital_id AS id FROM memberships WHERE user_id = ${reader.id} ORDER BY created_at LIMIT 1`,
  );
  const [own, other] = [row?.id ?? "", await newHospital()];
  const nurse = await newPerson("nurse", other);
  const [there, here] = [await newPatient(other, nurse), await newPatient(other, nurse)];
  // It counts against no quota of that hospital, which tests fill.
  await getDb(env.DB).run(sql`UPDATE patients SET hospital_id = ${own} WHERE id = ${here.id}`);
  await identifyAsOne(there.id, here.id);
  for (const hospitalId of [own, other]) await setReach(hospitalId, "any_hospital");
  return there.id;
}

/** An access of the person that runs, without the notices. @returns its id */
export async function newAccessRow(person: Person, hospitalId: string, patientId: string): Promise<string> {
  const id = uuidv7();
  const now = Date.now();
  const sealed = await sealReason(await getKeys(env), id, REASON);
  await getDb(
    env.DB,
  ).run(sql`INSERT INTO emergency_accesses (id, hospital_id, user_id, patient_id, record_hospital_id, own_patient_id,
      reason_sealed, stepped_up, started_at, ends_at, patient_notified_at)
    VALUES (${id}, ${hospitalId}, ${person.id}, ${patientId}, ${hospitalId}, ${patientId}, ${sealed}, 1, CAST(${now} AS INTEGER),
      CAST(${now + 3_600_000} AS INTEGER), CAST(${now} AS INTEGER))`);
  return id;
}

/** A delay of the patient's notices that runs for a day. */
export async function newDelayRow(patientId: string, by: Person): Promise<void> {
  const { reason, days } = delayBody();
  const context = { table: "notice_delays", column: "reason", id: patientId };
  const sealed = await sealValue((await getKeys(env)).fields, context, reason);
  await getDb(env.DB).run(sql`INSERT OR REPLACE INTO notice_delays (patient_id, reason_sealed, until, set_by, set_at)
    VALUES (${patientId}, ${sealed}, CAST(${Date.now() + days * 86_400_000} AS INTEGER), ${by.id}, 1)`);
}
