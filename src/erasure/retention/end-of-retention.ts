// When the retention periods of a patient's record end.
import { sql } from "drizzle-orm";
import { callMonitor } from "../../monitoring/intake/ingest.ts";
import { unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import type { Keys } from "../../platform/config.ts";
import { batch, type Db } from "../../platform/db/client.ts";
import { daysOf } from "../../platform/partial-date.ts";
import { RECORD_KINDS, type RecordKind, type RetentionPolicy } from "./jurisdictions.ts";
import { policyInForce } from "./stored-policy.ts";

const AGE_OF_MAJORITY = 18;
/** No record is older than the service. */
const MAX_MONTHS = 12 * 150;
/** Months since January 1970 (UTC); samples may be a month older than their record. */
const MONTH_OF_CREATION = sql`(strftime('%Y', created_at / 1000, 'unixepoch') - 1970) * 12 + strftime('%m', created_at / 1000, 'unixepoch') - 2`;

type Newest = Record<RecordKind, number | null>;
type Row = {
  id: string;
  version: number;
  identity_sealed: string;
  country: string | null;
  policy: string | null;
  begun: number;
  patient_record: number;
  reports: number | null;
  documents: number | null;
  alerts: number | null;
};

/** The same day and time, `years` later (UTC); of 29 February, 1 March. */
function addYears(time: number, years: number): number {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime();
}

/**
 * The time at which the last period ends, epoch milliseconds.
 * @param newest the newest entry per kind, epoch milliseconds; null: there is none
 * @param dateOfBirth FHIR date, of which the last possible day counts; null: an adult
 * @param begun when the record began, epoch milliseconds: one that began before the person came of age has entries of a minor
 */
export function endOfRetention(policy: RetentionPolicy, newest: Newest, dateOfBirth: string | null, begun: number): number {
  const born = dateOfBirth === null ? undefined : daysOf(dateOfBirth)?.last;
  const ends = RECORD_KINDS.flatMap((kind) => {
    const last = newest[kind];
    if (last === null) return [];
    const end = addYears(last, policy.years[kind]);
    const isOfMinor = born !== undefined && Math.min(begun, last) < addYears(born, AGE_OF_MAJORITY);
    const { minors_until_age: age } = policy;
    return [isOfMinor && age !== null ? Math.max(end, addYears(born, age)) : end];
  });
  return Math.max(0, ...ends);
}

/**
 * The end of retention of a patient. @returns null when there is no such patient
 * @param env for the patient's object, which knows the latest value of each vital sign
 */
export async function findEndOfRetention(env: Env, db: Db, keys: Keys, patientId: string, now: number): Promise<number | null> {
  const [[row], [months]] = await batch(db, [
    db.all<Row>(sql`SELECT p.id AS id, p.version AS version, p.identity_sealed AS identity_sealed,
        p.created_at AS begun, h.country AS country, r.policy AS policy,
        max(p.created_at, p.updated_at, coalesce((SELECT max(authored_at) FROM intake_responses WHERE patient_id = p.id), 0),
          coalesce((SELECT max(changed_at) FROM patient_changes WHERE patient_id = p.id), 0)) AS patient_record,
        (SELECT max(created_at) FROM reports WHERE patient_id = p.id) AS reports,
        (SELECT max(created_at) FROM documents WHERE patient_id = p.id) AS documents,
        (SELECT max(raised_at) FROM alerts WHERE patient_id = p.id) AS alerts
      FROM patients p JOIN hospitals h ON h.id = p.hospital_id LEFT JOIN retention_policies r ON r.hospital_id = h.id
      WHERE p.id = ${patientId}`),
    db.all<{
      newest: number | null;
    }>(sql`WITH RECURSIVE m(n) AS (SELECT ${MONTH_OF_CREATION} FROM patients WHERE id = ${patientId}
        UNION ALL SELECT n + 1 FROM m WHERE n < ${monthOf(now)} LIMIT ${MAX_MONTHS})
      SELECT max(v.month) AS newest FROM patients p, m, vital_months v
      WHERE p.id = ${patientId} AND v.hospital_id = p.hospital_id AND v.month = m.n AND v.patient_id = p.id`),
  ]);
  if (!row) return null;
  const snapshot = await callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).snapshot());
  const latest = snapshot?.latest ?? [];
  const { patient_record, reports, documents, alerts } = row;
  const observed = [
    alerts,
    months?.newest == null ? null : startOfMonth(months.newest + 1),
    ...latest.map(({ received_at }) => Date.parse(received_at)),
  ].filter((time) => time !== null);
  const observations = observed.length > 0 ? Math.min(now, Math.max(...observed)) : null;
  const { date_of_birth: dateOfBirth } = await unsealIdentity(keys, row);
  const policy = policyInForce(row.country, row.policy);
  return endOfRetention(policy, { patient_record, reports, documents, observations }, dateOfBirth, row.begun);
}

/** Months since January 1970 (UTC). */
export const monthOf = (time: number): number => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth() - 1970 * 12;
const startOfMonth = (month: number): number => Date.UTC(1970, month, 1);
