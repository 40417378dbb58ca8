// The ward board: the monitored patients of a ward, ordered by risk.

import { and, eq, sql } from "drizzle-orm";
import { withUser } from "../../access/access.ts";
import type { Call } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import { patientVisibility } from "../../access/visibility.ts";
import type { Priority } from "../../monitoring/alarm-rules/model.ts";
import type { PatientSnapshot, Score } from "../../monitoring/patient-object/contract.ts";
import { unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import { patients, wards } from "../../platform/db/schema.ts";
import { withDeadline } from "../../platform/deadline.ts";
import { log } from "../../platform/log.ts";
import { toIso } from "../../platform/time.ts";
import { findStaffNames } from "./staff-names.ts";
import { MAX_COUNTED_PATIENTS } from "./wards.ts";

/** Fits on one screen. */
export const MAX_BOARD_PATIENTS = 40;
/** Patient objects that are queried concurrently. */
const MAX_CONCURRENT_SNAPSHOTS = 10;
/** One object that hangs delays the board by the first, several by the second; their patients are shown as unknown. */
export const SNAPSHOT_DEADLINE_MS = 1_500;
export const BOARD_DEADLINE_MS = 3_000;

export type BoardRow = {
  id: string;
  patient_number: number;
  monitoring: "home" | "ward";
  identity_sealed: string;
  version: number;
};

/** `snapshot` is null if the patient's object does not respond or has no data yet. */
export type MonitoredPatient = { row: BoardRow; snapshot: PatientSnapshot | null };

/**
 * Selects at most 40 monitored patients of a ward that the caller may see. If there are more, those with the highest open alert
 * priority are chosen. `stored`: resolves when the audit event is stored. @param event the name of the audit event  @throws ApiError not_found
 */
export async function selectWatched(anyCall: Call, wardId: string, event: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "ward:read", (effectiveRole, { db, actor }) => {
    const scope = patientVisibility(effectiveRole, actor, sql`+${patients.id}`, sql`+${patients.hospitalId}`);
    const watched = sql`patients.ward_id = ${wardId} AND patients.monitoring <> 'off' AND patients.active = 1 AND ${scope}`;
    return [
      db
        .select({ id: wards.id, hospitalId: wards.hospitalId, name: wards.name })
        .from(wards)
        .where(and(eq(wards.id, wardId), isInCallerHospital(effectiveRole, wards.hospitalId))),
      db.all<BoardRow>(sql`SELECT patients.id AS id, patients.patient_number AS patient_number, patients.monitoring AS monitoring,
          patients.identity_sealed AS identity_sealed, patients.version AS version
        FROM patients LEFT JOIN (SELECT patient_id, min(CASE priority WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END) AS gravest
          FROM alerts WHERE state <> 'cleared' AND hospital_id = (SELECT hospital_id FROM wards WHERE id = ${wardId})
          GROUP BY patient_id) a ON a.patient_id = patients.id
        WHERE ${watched} ORDER BY coalesce(a.gravest, 3), patients.patient_number LIMIT ${MAX_BOARD_PATIENTS}`),
      db.all<{ n: number }>(
        sql`SELECT count(*) AS n FROM (SELECT 1 FROM patients WHERE ${watched} LIMIT ${MAX_COUNTED_PATIENTS})`,
      ),
    ];
  });
  const [[ward], rows, [counted]] = results;
  const { role, hospitalId } = effectiveRole;
  if (!ward) return denyAccess(call, "ward:read", "not_found", { role, hospitalId, target: { ward: wardId } });
  const stored = appendAuditEvent(call, {
    ...({ event, action: "R", role, hospitalId: ward.hospitalId } as const),
    entity: { type: "ward", id: wardId },
    subjects: rows.map(({ id }) => id),
    detail: { count: rows.length },
  });
  return { call, ward, watched: counted?.n ?? 0, rows, stored };
}

/** The selected patients with their snapshots. @throws ApiError not_found */
export async function readWatched(env: Env, anyCall: Call, wardId: string, event: string) {
  const { rows, stored, ...selected } = await selectWatched(anyCall, wardId, event);
  const answers = await afterAudit(
    stored,
    askMonitors(env, selected.call, rows, (monitor) => monitor.snapshot()),
  );
  return { ...selected, monitored: answers.map(({ row, answer }): MonitoredPatient => ({ row, snapshot: answer })) };
}

/** The board, in the order of `compareByRisk`. @throws ApiError not_found */
export async function getWardBoard(env: Env, anyCall: Call, wardId: string) {
  const { call, ward, watched, monitored } = await readWatched(env, anyCall, wardId, "ward.board");
  return {
    ward_id: ward.id,
    ward_name: ward.name,
    as_of: toIso(call.now),
    watched,
    patients: await Promise.all(monitored.toSorted(compareByRisk).map((entry) => toBoardEntry(call, entry))),
    staff: await findStaffNames(
      call,
      monitored.flatMap(({ snapshot }) => snapshot?.alerts.flatMap((alert) => [alert.acknowledged_by, alert.assigned_to]) ?? []),
    ),
  };
}

type Monitor = ReturnType<Env["PATIENT_MONITOR"]["getByName"]>;

/** An object that fails or does not respond in time yields null, so that the ward still loads. */
export async function askMonitors<Answer>(
  env: Env,
  call: Call,
  rows: readonly BoardRow[],
  ask: (monitor: Monitor) => Promise<Answer>,
): Promise<{ row: BoardRow; answer: Answer | null }[]> {
  const answers: { row: BoardRow; answer: Answer | null }[] = [];
  const deadline = Date.now() + BOARD_DEADLINE_MS;
  let next = 0;
  const workers = Array.from({ length: MAX_CONCURRENT_SNAPSHOTS }, async () => {
    for (let row = rows[next++]; row; row = rows[next++]) {
      const ms = Math.min(SNAPSHOT_DEADLINE_MS, deadline - Date.now());
      const answer =
        ms <= 0
          ? null
          : await withDeadline(ask(env.PATIENT_MONITOR.getByName(row.id)), ms, "a patient's object").catch(() => null);
      answers.push({ row, answer });
    }
  });
  await Promise.all(workers);
  const missingCount = answers.filter(({ answer }) => answer === null).length;
  if (missingCount > 0)
    log(env, "WARNING", "ward board: patients without an answer", { request_id: call.actor.via.requestId, count: missingCount });
  return answers;
}

const hasOpenAlert = ({ snapshot }: Pick<MonitoredPatient, "snapshot">, priority: Priority) =>
  snapshot?.alerts.some((alert) => alert.priority === priority) ?? false;

/** An unknown score may be anything: it sorts just below the urgent response threshold (RCP 2017: 5) and above all lower scores. */
const UNKNOWN_SCORE = 4.5;
function riskScore(score: Score | undefined): number {
  if (score?.status === "complete") return score.score;
  // What the patient would score now is unknown, and it is not assumed to be less than it was.
  return score?.status === "overdue" ? Math.max(score.score, UNKNOWN_SCORE) : UNKNOWN_SCORE;
}

/**
 * The order of the board: open high alert; NEWS2, highest first, with an incomplete, inapplicable or unknown score and
 * an overdue one below 5 between 5 and 4; open medium alert; open low alert; patient number.
 */
export function compareByRisk(a: MonitoredPatient, b: MonitoredPatient): number {
  const compareAlerts = (priority: Priority) => Number(hasOpenAlert(b, priority)) - Number(hasOpenAlert(a, priority));
  return (
    compareAlerts("high") ||
    riskScore(b.snapshot?.news2) - riskScore(a.snapshot?.news2) ||
    compareAlerts("medium") ||
    compareAlerts("low") ||
    a.row.patient_number - b.row.patient_number
  );
}

async function toBoardEntry({ keys, now }: Call, { row, snapshot }: MonitoredPatient) {
  const { first_name, last_name } = await unsealIdentity(keys, row);
  const secondsSince = (time: string | null) => (time === null ? null : Math.max(0, Math.round((now - Date.parse(time)) / 1000)));
  const count = (priority: Priority) => snapshot?.alerts.filter((alert) => alert.priority === priority).length ?? 0;
  // By the server's clock: a device's clock may be wrong.
  const receivedTimes = [
    ...(snapshot?.devices.map(({ last_seen_at }) => last_seen_at) ?? []),
    ...(snapshot?.latest.map(receivedAt) ?? []),
  ];
  const sortedTimes = receivedTimes.filter((time) => time !== null).toSorted();
  return {
    patient_id: row.id,
    patient_number: row.patient_number,
    first_name,
    last_name,
    monitoring: row.monitoring,
    is_known: snapshot !== null,
    news2: snapshot?.news2 ?? null,
    observations: snapshot?.observations ?? null,
    trend_mark: snapshot?.trend_mark ?? null,
    limits: snapshot?.limits ?? [],
    latest: snapshot?.latest.map((sample) => ({ ...sample, age_s: secondsSince(shownTime(sample)) ?? 0 })) ?? [],
    alerts: snapshot?.alerts ?? [],
    open_alerts: { high: count("high"), medium: count("medium"), low: count("low") },
    last_seen_at: sortedTimes.at(-1) ?? null,
    last_seen_s: secondsSince(sortedTimes.at(-1) ?? null),
  };
}

/** The times of a sample are of one form, so the earlier text is the earlier time. */
const shownTime = ({ effective_at, received_at }: { effective_at: string; received_at: string }) =>
  effective_at < received_at ? effective_at : received_at;

const receivedAt = ({ received_at }: { received_at: string }) => received_at;
