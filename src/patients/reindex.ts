// Makes the search tokens of a hospital's patients again, after their rules or the hospital's country changed. Run by cron.
import { sql } from "drizzle-orm";
import { readHospitalSettings, SETTINGS_TTL_MS } from "../access/hospital-settings.ts";
import { getVerifiedKeys, type Keys } from "../platform/config.ts";
import { batch, type Db, getDb } from "../platform/db/client.ts";
import { log } from "../platform/log.ts";
import type { CountryCode } from "../platform/phone.ts";
import { computePatientTokens } from "./identity/patient-tokens.ts";
import { unsealIdentity } from "./identity/sealed-fields.ts";

/** Per run, once per minute: 5,000 patients take less than an hour, and a run takes less than a second of CPU time. */
export const MAX_REINDEXED_PATIENTS = 100;

type DueHospital = { id: string; reindex_after: number };
type PatientRow = { id: string; patient_number: number; version: number; identity_sealed: string };

/** @returns how many patients were read; 0 when all tokens are current */
export async function reindexPatients(env: Env, now: number): Promise<number> {
  const db = getDb(env.DB);
  // Later than other isolates keep the settings from before the change.
  const [hospital] = await db.all<DueHospital>(sql`SELECT id, search_reindex_after AS reindex_after FROM hospitals
    WHERE search_reindex_after IS NOT NULL AND updated_at < ${now - 2 * SETTINGS_TTL_MS} ORDER BY updated_at LIMIT 1`);
  if (!hospital) return 0;
  const rows = await db.all<PatientRow>(sql`SELECT id, patient_number, version, identity_sealed FROM patients
    WHERE hospital_id = ${hospital.id} AND patient_number > ${hospital.reindex_after}
    ORDER BY patient_number LIMIT ${MAX_REINDEXED_PATIENTS}`);
  const { country } = await readHospitalSettings(db, hospital.id, now);
  const keys = await getVerifiedKeys(env);
  const outcomes = await Promise.allSettled(rows.map((row) => makeTokens(keys, hospital.id, country, row)));
  const computed = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const unreadable = outcomes.length - computed.length;
  if (unreadable > 0) log(env, "ERROR", "search tokens not made again", { count: unreadable });
  const last = rows.length < MAX_REINDEXED_PATIENTS ? null : (rows.at(-1)?.patient_number ?? null);
  await writeTokens(db, hospital, computed, last);
  return rows.length;
}

async function makeTokens(keys: Keys, hospitalId: string, country: CountryCode | null, row: PatientRow) {
  const tokens = await computePatientTokens(keys, hospitalId, country, await unsealIdentity(keys, row));
  return { id: row.id, version: row.version, tokens };
}

/** A patient who changed meanwhile has current tokens. A country that changed meanwhile starts again. */
function writeTokens(
  db: Db,
  hospital: DueHospital,
  patients: { id: string; version: number; tokens: string[] }[],
  last: number | null,
) {
  const unchanged = sql`json_each(${JSON.stringify(patients)}) p JOIN patients x ON x.id = p.value->>'id' AND x.version = p.value->>'version'`;
  return batch(db, [
    db.run(sql`DELETE FROM patient_tokens WHERE patient_id IN (SELECT x.id FROM ${unchanged}) AND hospital_id = ${hospital.id}
      AND (patient_id, token) NOT IN (SELECT x.id, t.value FROM ${unchanged}, json_each(p.value->'tokens') t)`),
    db.run(sql`INSERT INTO patient_tokens (hospital_id, token, patient_id)
      SELECT ${hospital.id}, t.value, x.id FROM ${unchanged}, json_each(p.value->'tokens') t WHERE 1 ON CONFLICT DO NOTHING`),
    db.run(sql`UPDATE hospitals SET search_reindex_after = CAST(${last} AS INTEGER)
      WHERE id = ${hospital.id} AND search_reindex_after = ${hospital.reindex_after}`),
  ]);
}
