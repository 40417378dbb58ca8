// Bulk creation of synthetic patients and reports with the shape of real data.

import { computeSearchTokens } from "../src/patients/identity/search-tokens.ts";
import type { Keys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { uuidv7 } from "../src/platform/ids.ts";

export const HOSPITAL_COUNT = 20;
const ROWS_PER_BATCH = 400;
const STATUSES = ["preliminary", "final", "amended", "cancelled"];
const KINDS = ["ecg", "ecg", "ecg", "cpap", "oxygen"];

export type SeededIds = { hospitals: string[]; patients: string[]; reports: string[] };

async function insertRows(db: D1Database, statement: D1PreparedStatement, rows: unknown[][]): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_PER_BATCH) {
    await db.batch([statement.bind(JSON.stringify(rows.slice(at, at + ROWS_PER_BATCH)))]);
  }
}

export async function seedHospitals(db: D1Database): Promise<string[]> {
  const ids = Array.from({ length: HOSPITAL_COUNT }, () => uuidv7());
  const statement = db.prepare(
    "INSERT INTO hospitals (id, name, created_at, updated_at) SELECT value->>0, value->>1, 0, 0 FROM json_each(?)",
  );
  await insertRows(
    db,
    statement,
    ids.map((id, i) => [id, `Hospital ${i}`]),
  );
  return ids;
}

/** Adds patients `from` to `to`, with one report each, evenly over the hospitals, and updates the counters. */
export async function seedPatients(
  db: D1Database,
  keys: Keys,
  hospitals: string[],
  from: number,
  to: number,
): Promise<SeededIds> {
  const start = Date.now() - 400 * 86_400_000;
  const patients: unknown[][] = [];
  const reports: unknown[][] = [];
  const tokens: unknown[][] = [];
  for (let i = from; i < to; i++) {
    const id = uuidv7();
    const report = uuidv7();
    const hospital = hospitals[i % hospitals.length] ?? "";
    const at = start + i * 600_000;
    const identity = {
      first_name: `First${i}`,
      last_name: `Last${i}`,
      gender: "other" as const,
      date_of_birth: null,
      phone: null,
      email: null,
      address: null,
      aadhaar_last4: null,
      abha_number: null,
    };
    tokens.push([hospital, id, JSON.stringify(await computeSearchTokens(keys, hospital, null, identity))]);
    const clinical = { medical_history: null, notes: null, symptoms: [] };
    const [identitySealed, clinicalSealed, name] = await Promise.all([
      sealValue(keys.fields, { table: "patients", column: "identity", id, version: 1 }, identity),
      sealValue(keys.fields, { table: "patients", column: "clinical", id, version: 1 }, clinical),
      sealValue(keys.fields, { table: "reports", column: "file_name", id: report }, "ecg.pdf"),
    ]);
    patients.push([id, i + 1, hospital, identitySealed, clinicalSealed, at]);
    const hash = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    reports.push([
      report,
      id,
      hospital,
      KINDS[Math.floor(i / HOSPITAL_COUNT) % KINDS.length],
      STATUSES[Math.floor(i / HOSPITAL_COUNT) % STATUSES.length],
      40 + (i % 120),
      name,
      hash,
      at,
      `k/${i}`,
    ]);
  }
  await insertRows(
    db,
    db.prepare(`INSERT INTO patients (id, patient_number, hospital_id, identity_sealed, clinical_sealed, created_by, created_at, updated_at)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4, 'bench', value->>5, value->>5 FROM json_each(?)`),
    patients,
  );
  await insertRows(
    db,
    db.prepare(`INSERT INTO patient_tokens (hospital_id, patient_id, token)
      SELECT p.value->>0, p.value->>1, t.value FROM json_each(?) p, json_each(p.value->>2) t`),
    tokens,
  );
  await insertRows(
    db,
    db.prepare(`INSERT INTO reports (id, patient_id, hospital_id, kind, status, uploaded_by_kind, uploaded_by, heart_rate, effective_at,
        file_key, file_name_sealed, file_size, sha256, created_at, updated_at)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4, 'user', 'bench', value->>5, value->>8, value->>9, value->>6, 1000,
        value->>7, value->>8, value->>8 FROM json_each(?)`),
    reports,
  );
  await insertRows(
    db,
    db.prepare(`INSERT INTO uploads (id, actor_kind, actor_id, hospital_id, outcome, request_id, created_at)
      SELECT value->>0, 'user', 'bench', value->>1, 'stored', 'bench', value->>2 FROM json_each(?)`),
    reports.map(([id, , hospital, , , , , , at]) => [id, hospital, at]),
  );
  await rebuildCounters(db);
  return { hospitals, patients: patients.map(([id]) => String(id)), reports: reports.map(([id]) => String(id)) };
}

/** The counters that the product's operations would have written, one batch at a time. */
async function rebuildCounters(db: D1Database): Promise<void> {
  await db.batch([
    db.prepare("DELETE FROM counters"),
    // One day of history per hundred reports: statistics must not read all of them.
    db.prepare(`INSERT INTO counters (scope, day, name, n)
      SELECT 'all', value, 'report|ecg|final', 1 FROM (SELECT 10000 + row_number() OVER () AS value FROM reports LIMIT (SELECT count(*) / 100 FROM reports))`),
    db.prepare("INSERT INTO counters (scope, day, name, n) SELECT 'all', 0, 'patients', count(*) FROM patients"),
    db.prepare(
      "INSERT INTO counters (scope, day, name, n) SELECT 'h:' || hospital_id, 0, 'patients', count(*) FROM patients GROUP BY 1",
    ),
    db.prepare(
      "INSERT INTO counters (scope, day, name, n) SELECT 'all', 0, 'report|' || kind || '|' || status, count(*) FROM reports GROUP BY 3",
    ),
    db.prepare(
      "INSERT INTO counters (scope, day, name, n) SELECT 'h:' || hospital_id, 0, 'report|' || kind || '|' || status, count(*) FROM reports GROUP BY 1, 3",
    ),
    db.prepare(
      "INSERT INTO counters (scope, day, name, n) SELECT 'p:' || patient_id, 0, 'report|' || kind || '|' || status, count(*) FROM reports GROUP BY 1, 3",
    ),
  ]);
}
