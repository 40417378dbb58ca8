// Guardians, for tests that need one in a certain state.
import { sql } from "drizzle-orm";
import { sealGuardianReason } from "../src/consents/guardian-rows.ts";
import { getKeys } from "../src/platform/config.ts";
import { getDb } from "../src/platform/db/client.ts";
import { API, env, type Person, readJson, sendRequest } from "./world.ts";

const DAY_MS = 86_400_000;

export const newGuardianCode = async (guardian: Person): Promise<string> =>
  (await readJson(await sendRequest(`${API}/guardian-codes`, { as: guardian, method: "POST" }))).data.code;

/** A guardian as a request records one. */
export const newGuardianBody = (code: string, change: object = {}) => ({
  code,
  relationship: "parent",
  reason: "Mother of a minor; birth certificate seen.",
  until: new Date(Date.now() + 365 * DAY_MS).toISOString(),
  ...change,
});

/** A guardianship that staff outside the test has recorded. @param isConfirmed it is in force */
export async function newGuardianship(patientId: string, guardianId: string, isConfirmed = false): Promise<string> {
  const id = crypto.randomUUID();
  const [now, later] = [Date.now(), Date.now() + 365 * DAY_MS];
  const reason = await sealGuardianReason(await getKeys(env), id, "Mother of a minor; birth certificate seen.");
  await getDb(env.DB).run(sql`INSERT INTO guardianships (id, patient_id, guardian_id, relationship, reason_sealed, valid_until,
      recorded_by, recorded_at, confirmed_by, confirmed_at)
    VALUES (${id}, ${patientId}, ${guardianId}, 'parent', ${reason}, CAST(${later} AS INTEGER), 'test', CAST(${now} AS INTEGER),
      ${isConfirmed ? "test" : null}, CAST(${isConfirmed ? now : null} AS INTEGER))`);
  return id;
}
