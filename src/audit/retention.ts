// Retention of audit events: how long they are kept, legal holds, and the cron job that has logs delete what is older.
import { sql } from "drizzle-orm";
import { withUser } from "../access/access.ts";
import type { Call, UserEffectiveRole } from "../access/actor.ts";
import { appendAuditEvent, recordAuditEvent } from "../access/audit.ts";
import { denyNotFound } from "../access/deny.ts";
import { NO_HOSPITAL_LOG } from "../audit-log/contract.ts";
import { getAuditRetentionYears, type Keys } from "../platform/config.ts";
import { sealValue, unsealValue } from "../platform/crypto.ts";
import { batch, type Db, getDb } from "../platform/db/client.ts";
import { legalHolds } from "../platform/db/schema.ts";
import { ApiError, describeCause } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { toIso } from "../platform/time.ts";
import { selectHospital } from "./proofs.ts";
import { type LogQuery, requireLog, toHospitalId } from "./visible-log.ts";

type HoldRow = { hospital_id: string; held_from: number; reason_sealed: string; set_at: number; set_by: string };
export type NewLegalHold = { reason: string; recorded_from?: string | null | undefined };

const sealContext = (id: string) => ({ table: "legal_holds", column: "reason", id });

const selectHold = (db: Db, hospitalId: string) =>
  db.all<HoldRow>(sql`SELECT * FROM legal_holds WHERE hospital_id = ${hospitalId}`);

async function toLegalHold(keys: Keys, row: HoldRow | undefined) {
  if (!row) return null;
  return {
    reason: String(await unsealValue(keys.fields, sealContext(row.hospital_id), row.reason_sealed)),
    recorded_from: row.held_from === 0 ? null : toIso(row.held_from),
    set_at: toIso(row.set_at),
    set_by: row.set_by,
  };
}

/** How long a log's events are kept, what was deleted, and what waits for the current key. @throws ApiError not_found (audited) */
export async function getRetention(env: Env, anyCall: Call, query: LogQuery) {
  const permission = "audit_retention:read";
  const { call, effectiveRole, results } = await withUser(anyCall, permission, ({ role, hospitalId }, { db }) => [
    selectHospital(db, query),
    selectHold(db, (role === "admin" ? query.hospital_id : hospitalId) ?? ""),
  ]);
  const [hospitals, [hold]] = results;
  const logId = await requireLog(call, permission, effectiveRole, query, hospitals);
  const { size, prunedUpTo, toReseal } = await env.AUDIT_LOG.getByName(logId).status();
  const hospitalId = toHospitalId(logId);
  await appendAuditEvent(call, { event: "audit.retention", action: "R", role: effectiveRole.role, hospitalId });
  return {
    hospital_id: hospitalId,
    retention_years: getAuditRetentionYears(env),
    size,
    pruned_up_to: prunedUpTo === 0 ? null : prunedUpTo,
    segments_to_reseal: toReseal,
    legal_hold: await toLegalHold(call.keys, hold),
  };
}

const holdEvent = ({ role }: UserEffectiveRole, hospitalId: string, event: "legal_hold.set" | "legal_hold.end") => ({
  event,
  action: event === "legal_hold.set" ? ("U" as const) : ("D" as const),
  role,
  hospitalId,
  entity: { type: "hospital", id: hospitalId },
});

const requireHospital = async (anyCall: Call, hospitalId: string) => {
  const permission = "legal_hold:manage";
  const { call, effectiveRole, results } = await withUser(anyCall, permission, (_, { db }) => [
    selectHospital(db, { hospital_id: hospitalId }),
  ]);
  if (results[0].length === 0) return denyNotFound(call, permission, effectiveRole, { hospital: hospitalId });
  return { call, effectiveRole };
};

/**
 * Starts or replaces a hospital's legal hold: its events are kept whatever their age. The row in D1 decides; the log's object follows
 * at once, or if that fails, before it is next asked to delete anything.
 * @throws ApiError not_found, invalid_request for a time in the future
 */
export async function setLegalHold(env: Env, anyCall: Call, hospitalId: string, { reason, recorded_from }: NewLegalHold) {
  const { call, effectiveRole } = await requireHospital(anyCall, hospitalId);
  const { db, keys, actor, now } = call;
  const heldFrom = recorded_from == null ? 0 : Math.max(0, Date.parse(recorded_from));
  if (heldFrom > now) throw futureHold();
  const reasonSealed = await sealValue(keys.fields, sealContext(hospitalId), reason);
  const changes = { heldFrom, reasonSealed, setAt: now, setBy: actor.userId };
  const detail = { recorded_from: heldFrom === 0 ? null : toIso(heldFrom) };
  await batch(db, [
    db
      .insert(legalHolds)
      .values({ hospitalId, ...changes })
      .onConflictDoUpdate({ target: legalHolds.hospitalId, set: changes }),
    ...recordAuditEvent(db, actor, now, { ...holdEvent(effectiveRole, hospitalId, "legal_hold.set"), detail }),
  ]);
  await followHold(env, hospitalId, heldFrom);
  return { reason, recorded_from: detail.recorded_from, set_at: toIso(now), set_by: actor.userId };
}

const futureHold = () =>
  new ApiError("invalid_request", "Some fields are invalid; see errors.", {
    errors: [{ path: "recorded_from", message: "Must not be in the future", code: "out_of_range" }],
  });

/** Ends a hospital's legal hold; ending none changes nothing. @throws ApiError not_found */
export async function endLegalHold(env: Env, anyCall: Call, hospitalId: string): Promise<void> {
  const { call, effectiveRole } = await requireHospital(anyCall, hospitalId);
  const { db, actor, now } = call;
  await batch(db, [
    db.run(sql`DELETE FROM legal_holds WHERE hospital_id = ${hospitalId}`),
    ...recordAuditEvent(db, actor, now, {
      ...holdEvent(effectiveRole, hospitalId, "legal_hold.end"),
      when: sql`changes() > 0`,
    }),
  ]);
  await followHold(env, hospitalId, null);
}

/** The prune job repeats it: a failure is no failure of the request. */
async function followHold(env: Env, hospitalId: string, heldFrom: number | null): Promise<void> {
  try {
    await env.AUDIT_LOG.getByName(hospitalId).setHold(heldFrom);
  } catch (error) {
    log(env, "WARNING", "legal hold not set in the audit log", { object_id: hospitalId, cause: describeCause(error) });
  }
}

/** Logs per run of the cron job, every 15 minutes: 1,000 hospitals are visited in ten hours. */
export const LOGS_PER_PRUNE = 25;
const RUN_INTERVAL_MS = 15 * 60_000;
/** Calls of one log per run; each deletes up to some hundred segments. */
const CALLS_PER_LOG = 4;

/** The time before which events are not kept: the same day and time, that many years ago (UTC); of 29 February, the day before. */
export function retentionLimit(now: number, years: number): number {
  const limit = new Date(now);
  limit.setUTCFullYear(limit.getUTCFullYear() - years);
  if (limit.getUTCDate() !== new Date(now).getUTCDate()) limit.setUTCDate(0);
  return limit.getTime();
}

/**
 * Has some logs delete what is older than the retention time, and seal again what is under a former key. Which ones follows from the time: nothing is stored between runs.
 * @throws ApiError misconfigured; a log that fails is left for its next turn
 */
export async function pruneAuditLogs(env: Env, now: number): Promise<void> {
  const olderThan = retentionLimit(now, getAuditRetentionYears(env));
  for (const { id } of await selectDueLogs(getDb(env.DB), Math.floor(now / RUN_INTERVAL_MS))) {
    try {
      await pruneLog(env, id, olderThan);
    } catch (error) {
      log(env, "ERROR", "audit log not pruned", { object_id: id, cause: describeCause(error) });
    }
  }
}

/** D1 binds numbers as REAL, whose division is not that of integers. */
const PER_TURN = sql`CAST(${LOGS_PER_PRUNE} AS INTEGER)`;

const selectDueLogs = (db: Db, turn: number) =>
  db.all<{ id: string }>(sql`
    WITH logs AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM hospitals
      UNION ALL SELECT ${NO_HOSPITAL_LOG}, (SELECT count(*) FROM hospitals)),
    turns AS (SELECT (count(*) + ${PER_TURN} - 1) / ${PER_TURN} AS n FROM logs)
    SELECT id FROM logs WHERE place / ${PER_TURN} = CAST(${turn} AS INTEGER) % (SELECT n FROM turns)`);

/** The call of `prune` also wakes a log that has no new events. */
async function pruneLog(env: Env, logId: string, olderThan: number): Promise<void> {
  const auditLog = env.AUDIT_LOG.getByName(logId);
  const status = await auditLog.status();
  // After the log's own: a hold that is set later reaches the object before anything is deleted, or is among these.
  const [hold] = await selectHold(getDb(env.DB), logId);
  const heldFrom = hold?.held_from ?? null;
  if (status.toReseal > 0)
    log(env, "INFO", "audit segments wait for the current key", { object_id: logId, count: status.toReseal });
  if (status.heldFrom !== heldFrom) {
    // As after a failed call, or after D1 was restored to a time before the hold.
    log(env, "WARNING", "legal hold of the audit log follows D1", {
      object_id: logId,
      action: heldFrom === null ? "end" : "set",
    });
    await auditLog.setHold(heldFrom);
  }
  for (let call = 0; call < CALLS_PER_LOG; call++) {
    const { prunedUpTo, isComplete } = await auditLog.prune(olderThan);
    if (prunedUpTo > status.prunedUpTo)
      log(env, "INFO", "audit log pruned", { object_id: logId, count: prunedUpTo - status.prunedUpTo });
    if (isComplete) return;
  }
}
