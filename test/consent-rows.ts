// Consents and codes that share records, for tests that need one in a certain state.
import { sql } from "drizzle-orm";
import { getDb } from "../src/platform/db/client.ts";
import { API, env, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "./world.ts";

const DAY_MS = 86_400_000;

/** What a consent covers, as requests say it. */
export const newScope = (change: object = {}) => ({
  kinds: ["report:ecg"],
  data_from: "2025-01-01T00:00:00Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: new Date(Date.now() + 30 * DAY_MS).toISOString(),
  ...change,
});

/** A consent for the hospital of the record. @param status a granted one shares no record */
export async function newConsent(patientId: string, status = "requested"): Promise<string> {
  const id = crypto.randomUUID();
  const [now, later] = [Date.now(), Date.now() + 30 * DAY_MS];
  await getDb(
    env.DB,
  ).run(sql`INSERT INTO consents (id, hospital_id, patient_id, status, purpose, kinds, data_from, data_until, answer_until, expires_at,
        erase_at, created_at, updated_at)
    SELECT ${id}, hospital_id, id, ${status}, 'CAREMGT', 'report:ecg observations', 0, CAST(${later} AS INTEGER),
      CAST(${later} AS INTEGER), CAST(${later} AS INTEGER), CAST(${later} AS INTEGER), CAST(${now} AS INTEGER), CAST(${now} AS INTEGER)
    FROM patients WHERE id = ${patientId}`);
  return id;
}

/** Lets a hospital ask the person of its record again, as it may a day after a denial. */
export const forgetDenials = (patientId: string) =>
  env.DB.prepare("UPDATE consents SET decided_at = 1 WHERE patient_id = ? AND status = 'denied'").bind(patientId).run();

/** A code for the records, made by their person. */
export async function newOffer(person: Person, patientIds: readonly string[]): Promise<{ offerId: string; code: string }> {
  const sent = await sendRequest(`${API}/consents/offers`, { as: person, json: { patient_ids: patientIds, ...newScope() } });
  const { offer_id: offerId, code } = (await readJson(sent)).data;
  return { offerId, code };
}

/** A code of somebody with a record at a hospital of its own. */
export async function newForeignCode(): Promise<string> {
  const { hospitalId, nurse } = await newWorld();
  const [person, patient] = [await newPerson("patient"), await newPatient(hospitalId, nurse)];
  await link(person, patient);
  return (await newOffer(person, [patient.id])).code;
}

/** Makes a record at the hospital known as one of the same person as another: staff has identified both. */
export async function newRecordOfSamePerson(hospitalId: string, by: Person, patientId: string): Promise<string> {
  const { id } = await newPatient(hospitalId, by);
  await env.DB.prepare("UPDATE patients SET patient_uid = ?1, uid_basis = 'staff' WHERE id IN (?1, ?2)")
    .bind(patientId, id)
    .run();
  return id;
}

/** An open code of the session's person, under the id of the session; none for staff and for a session that does not exist. */
export async function offerOfSession(sessionId: string): Promise<string> {
  const [now, later] = [Date.now(), Date.now() + DAY_MS];
  await getDb(
    env.DB,
  ).run(sql`INSERT OR IGNORE INTO consent_offers (id, user_id, code_hash, patient_ids, purpose, kinds, data_from, data_until, expires_at,
        erase_at, valid_until, created_at)
    SELECT s.id, s.user_id, s.id, '[]', 'PATRQT', 'report:ecg', 0, 1, CAST(${later} AS INTEGER), CAST(${later} AS INTEGER),
      CAST(${later} AS INTEGER), CAST(${now} AS INTEGER)
    FROM sessions s JOIN users u ON u.id = s.user_id AND u.is_admin = 0 WHERE s.id = ${sessionId} AND s.hospital_id IS NULL`);
  return sessionId;
}

/** Runs a request while the person has two more records, at two hospitals: with more than one, other requests must name theirs. */
export async function withTwoRecords<T>(person: Person, run: (hospitalId: string, patientId: string) => Promise<T>): Promise<T> {
  const [a, b] = [await newWorld(), await newWorld()];
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  try {
    return await run(b.hospitalId, atA.id);
  } finally {
    await env.DB.prepare("DELETE FROM patient_links WHERE user_id = ? AND patient_id IN (?, ?)")
      .bind(person.id, atA.id, atB.id)
      .run();
  }
}
