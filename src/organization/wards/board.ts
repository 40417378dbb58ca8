// The ward board: who lies there and is watched, those first who need somebody first.
import { and, eq, sql } from "drizzle-orm";
import { asCaller, patientScope } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import type { Priority } from "../../monitoring/alarm-rules/model.ts";
import type { PatientSnapshot, Score } from "../../monitoring/patient-object/contract.ts";
import { openIdentity } from "../../patients/identity/identity.ts";
import { batch } from "../../platform/db/client.ts";
import { patients, wards } from "../../platform/db/schema.ts";
import { log } from "../../platform/log.ts";
import { MAX_SHOWN } from "./wards.ts";

/** What fits on one screen. */
export const MAX_ON_BOARD = 40;
/** How many objects are asked at a time. */
const AT_ONCE = 10;

type Row = { id: string; patient_number: number; monitoring: "home" | "ward"; identity_sealed: string; version: number };

/** Null where the object could not be asked, or has been told nothing yet. */
type Watched = { row: Row; snapshot: PatientSnapshot | null };

/**
 * At most forty watched patients of a ward whom the caller may see, in the order of `byRisk`. Where there are more, those with the
 * gravest open alerts are shown.
 * @throws ApiError not_found
 */
export async function wardBoard(env: Env, anyCall: Call, wardId: string) {
  const { call, standing, results } = await asCaller(anyCall, "ward:read", (standing, { db, actor }) => {
    const ours = standing.role === "admin" ? sql`1` : eq(wards.hospitalId, standing.hospitalId ?? "");
    const scope = patientScope(standing, actor, sql`+${patients.id}`, sql`+${patients.hospitalId}`);
    const watched = sql`patients.ward_id = ${wardId} AND patients.monitoring <> 'off' AND patients.active = 1 AND ${scope}`;
    return [
      db
        .select({ id: wards.id, hospitalId: wards.hospitalId, name: wards.name })
        .from(wards)
        .where(and(eq(wards.id, wardId), ours)),
      db.all<Row>(sql`SELECT patients.id AS id, patients.patient_number AS patient_number, patients.monitoring AS monitoring,
          patients.identity_sealed AS identity_sealed, patients.version AS version
        FROM patients LEFT JOIN (SELECT patient_id, min(CASE priority WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END) AS gravest
          FROM alerts WHERE state <> 'cleared' AND hospital_id = (SELECT hospital_id FROM wards WHERE id = ${wardId})
          GROUP BY patient_id) a ON a.patient_id = patients.id
        WHERE ${watched} ORDER BY coalesce(a.gravest, 3), patients.patient_number LIMIT ${MAX_ON_BOARD}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM patients WHERE ${watched} LIMIT ${MAX_SHOWN})`),
    ];
  });
  const [[ward], rows, [counted]] = results;
  const { role, hospitalId } = standing;
  if (!ward) return refuse(call, "ward:read", "not_found", { role, hospitalId, target: { ward: wardId } });
  const { db, actor, now } = call;
  const told = { event: "ward.board", action: "R", role, hospitalId: ward.hospitalId } as const;
  const subjects = rows.map(({ id }) => id);
  await batch(
    db,
    audit(db, actor, now, { ...told, entity: { type: "ward", id: wardId }, subjects, detail: { count: rows.length } }),
  );
  const watched = await snapshots(env, call, rows);
  return {
    ward_id: ward.id,
    ward_name: ward.name,
    as_of: new Date(now).toISOString(),
    watched: counted?.n ?? 0,
    patients: await Promise.all(watched.toSorted(byRisk).map((one) => toEntry(call, one))),
  };
}

/** One object that fails must not take the board with it. */
async function snapshots(env: Env, call: Call, rows: readonly Row[]): Promise<Watched[]> {
  const found: Watched[] = [];
  let next = 0;
  const asking = Array.from({ length: AT_ONCE }, async () => {
    for (let row = rows[next++]; row; row = rows[next++]) {
      const snapshot = await env.PATIENT_MONITOR.getByName(row.id)
        .snapshot()
        .catch(() => null);
      found.push({ row, snapshot });
    }
  });
  await Promise.all(asking);
  const silent = found.filter(({ snapshot }) => !snapshot).length;
  if (silent > 0) log(env, "WARNING", "patients without a snapshot", { request_id: call.actor.via.requestId, count: silent });
  return found;
}

const has = ({ snapshot }: Pick<Watched, "snapshot">, priority: Priority) =>
  snapshot?.alerts.some((alert) => alert.priority === priority) ?? false;

/** What is not known may be anything: it stands behind a score that calls for an urgent response (RCP 2017: 5), before all below. */
const UNKNOWN = 4.5;
const points = (score: Score | undefined) => (score?.status === "complete" ? score.score : UNKNOWN);

/**
 * The order of the board: an open high alert; NEWS2, the highest first, one that is incomplete, does not apply or is not known
 * between 5 and 4; an open medium alert; a low one; the patient's number.
 */
export function byRisk(a: Watched, b: Watched): number {
  const flag = (priority: Priority) => Number(has(b, priority)) - Number(has(a, priority));
  return (
    flag("high") ||
    points(b.snapshot?.news2) - points(a.snapshot?.news2) ||
    flag("medium") ||
    flag("low") ||
    a.row.patient_number - b.row.patient_number
  );
}

async function toEntry({ keys, now }: Call, { row, snapshot }: Watched) {
  const { first_name, last_name } = await openIdentity(keys, row);
  const ago = (time: string | null) => (time === null ? null : Math.max(0, Math.round((now - Date.parse(time)) / 1000)));
  const count = (priority: Priority) => snapshot?.alerts.filter((alert) => alert.priority === priority).length ?? 0;
  // By our clock: a device's own may be wrong.
  const heard = [...(snapshot?.devices.map(({ last_seen_at }) => last_seen_at) ?? []), ...(snapshot?.latest.map(received) ?? [])];
  const seen = heard.filter((time) => time !== null).toSorted();
  return {
    patient_id: row.id,
    patient_number: row.patient_number,
    first_name,
    last_name,
    monitoring: row.monitoring,
    is_known: snapshot !== null,
    news2: snapshot?.news2 ?? null,
    limits: snapshot?.limits ?? [],
    latest: snapshot?.latest.map((sample) => ({ ...sample, age_s: ago(sample.effective_at) ?? 0 })) ?? [],
    alerts: snapshot?.alerts ?? [],
    open_alerts: { high: count("high"), medium: count("medium"), low: count("low") },
    last_seen_at: seen.at(-1) ?? null,
    last_seen_s: ago(seen.at(-1) ?? null),
  };
}

const received = ({ received_at }: { received_at: string }) => received_at;
