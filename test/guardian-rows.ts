// Guardians, for tests that need one in a certain state.
import { sql } from "drizzle-orm";
import { sealGuardianReason } from "../src/consents/guardian-rows.ts";
import { getKeys } from "../src/platform/config.ts";
import { getDb } from "../src/platform/db/client.ts";
import { newConsent, newRecordOfSamePerson } from "./consent-rows.ts";
import { API, env, type Person, readJson, sendRequest } from "./world.ts";

const DAY_MS = 86_400_000;

export const newGuardianCode = async (guardian: Person): Promise<string> =>
  (await readJson(await sendRequest(`${API}/guardian-codes`, { as: guardian, method: "POST" }))).data.code;

/** A guardian as a request records one. */
export const newGuardianBody = (code: string, change: object = {}) => ({
  code,
  relationship: "parent",
  ground: "minor",
  reason: "Mother of a minor; birth certificate seen.",
  until: new Date(Date.now() + 365 * DAY_MS).toISOString(),
  ...change,
});

/** A request for a consent for another record of a person, which a login decides as its guardian. @param by staff of the other hospital */
export async function newGrantable(hospitalId: string, by: Person, patientId: string, userId: string): Promise<string> {
  const other = await newRecordOfSamePerson(hospitalId, by, patientId);
  await newGuardianship(other, userId, true);
  return newConsent(other);
}

/** A guardianship that staff outside the test has recorded. @param isConfirmed it is in force */
export async function newGuardianship(
  patientId: string,
  guardianId: string,
  isConfirmed = false,
  ground: "minor" | "cannot_decide" = "minor",
): Promise<string> {
  const id = crypto.randomUUID();
  const [now, later] = [Date.now(), Date.now() + 365 * DAY_MS];
  const reason = await sealGuardianReason(await getKeys(env), id, "Mother of a minor; birth certificate seen.");
  await getDb(env.DB).run(sql`INSERT INTO guardianships (id, patient_id, guardian_id, relationship, reason_sealed, valid_until,
      recorded_by, recorded_at, confirmed_by, confirmed_at, ground)
    VALUES (${id}, ${patientId}, ${guardianId}, 'parent', ${reason}, CAST(${later} AS INTEGER), 'test', CAST(${now} AS INTEGER),
      ${isConfirmed ? "test" : null}, CAST(${isConfirmed ? now : null} AS INTEGER), ${ground})`);
  return id;
}
