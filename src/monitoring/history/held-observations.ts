// Quarantined samples (no patient, unknown unit, implausible time), sealed for review by staff.

import { and, eq, lt, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { withUser } from "../../access/access.ts";
import type { Call, UserEffectiveRole } from "../../access/actor.ts";
import { appendAuditEvent, toListEvents } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import { isUnrestricted } from "../../access/visibility.ts";
import { buildPage, COUNT_LIMIT, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import type { Keys } from "../../platform/config.ts";
import { unsealValue } from "../../platform/crypto.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { heldObservations } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID_PATTERN } from "../../platform/ids.ts";
import { giveBackStatement, TOTAL_PREFIX } from "../../platform/storage-quotas.ts";
import { DAY_MS, toIso, toIsoOrNull } from "../../platform/time.ts";
import { parseInstant } from "../vitals/sample-validation.ts";

type HeldRow = typeof heldObservations.$inferSelect;

/** Ids from a patient's object begin with the patient's id (patient-object/delivery/d1-delivery.ts). */
function heldPatientId({ id }: Pick<HeldRow, "id">): string | null {
  const patient = id.slice(0, 36);
  return id.length > 36 && UUID_PATTERN.test(patient) ? patient : null;
}

/** The patients whose samples an entry holds: the one of the object that held them, and the one for whom they were filed. */
export const heldSubjects = (row: Pick<HeldRow, "id" | "filedPatientId">): string[] =>
  [heldPatientId(row), row.filedPatientId].filter((id) => id !== null);

/** `heldSubjects` of the rows that match, as a query. */
export const selectHeldSubjects = (rows: SQL): SQL => sql`SELECT substr(id, 1, 36) FROM held_observations WHERE length(id) > 36
  AND ${rows} UNION SELECT filed_patient_id FROM held_observations WHERE filed_patient_id IS NOT NULL AND ${rows}`;

/**
 * First and last time of measurement, as the device said them. Null where an item's time cannot be read, such as the day of a total:
 * a range without it would be false.
 */
function measuredRange(items: readonly unknown[]): { measured_from: string | null; measured_to: string | null } {
  const unknown = { measured_from: null, measured_to: null };
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const item of items) {
    const sentTime = typeof item === "object" && item !== null && "effective_at" in item ? item.effective_at : null;
    const at = typeof sentTime === "string" ? parseInstant(sentTime) : null;
    if (at === null) return unknown;
    [first, last] = [Math.min(first, at), Math.max(last, at)];
  }
  return items.length === 0 ? unknown : { measured_from: toIso(first), measured_to: toIso(last) };
}

const toHeldObservations = (row: HeldRow, items: readonly unknown[]) => ({
  held_id: row.id,
  hospital_id: row.hospitalId,
  device_id: row.deviceId,
  patient_id: heldPatientId(row),
  reasons: row.reason.split(" "),
  count: row.count,
  ...measuredRange(items),
  received_at: toIso(row.receivedAt),
  state: row.state,
  filed_patient_id: row.filedPatientId,
  resolved_by: row.resolvedBy,
  resolved_at: toIsoOrNull(row.resolvedAt),
});

export const hospitalFilter = (effectiveRole: UserEffectiveRole): SQL =>
  sql`${isInCallerHospital(effectiveRole, heldObservations.hospitalId)}
    AND ${isUnrestricted(effectiveRole, sql`coalesce(${heldObservations.filedPatientId}, substr(${heldObservations.id}, 1, 36))`)}`;

export type HeldListQuery = PageQuery & { state?: HeldRow["state"] | undefined; device_id?: string | undefined };

/** Quarantined samples of a hospital's devices, newest first. */
export async function listHeldObservations(anyCall: Call, query: HeldListQuery) {
  const start = await resolvePageStart(anyCall, "observations.held", query);
  const { where, orderBy } = keysetClauses(start, heldObservations.receivedAt, heldObservations.id);
  const ofQuery = and(
    query.state ? eq(heldObservations.state, query.state) : undefined,
    query.device_id ? eq(heldObservations.deviceId, query.device_id) : undefined,
  );
  const { call, effectiveRole, results } = await withUser(anyCall, "upload:read", (effectiveRole, { db }) => [
    db
      .select()
      .from(heldObservations)
      .where(and(hospitalFilter(effectiveRole), ofQuery, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM (SELECT 1 FROM held_observations WHERE ${and(hospitalFilter(effectiveRole), ofQuery)} LIMIT ${COUNT_LIMIT + 1})`,
    ),
  ]);
  const [rows, [count]] = results;
  const toCursor = (row: HeldRow) => ({ value: row.receivedAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, toCursor, { n: count?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const events = toListEvents(
    pageRows,
    (row) => row.hospitalId,
    hospitalId,
    (ofHospital) => ({
      ...({ event: "observation.held", action: "R", role } as const),
      subjects: ofHospital.flatMap(heldSubjects),
      detail: { count: ofHospital.length },
    }),
  );
  await appendAuditEvent(call, events);
  // One after the other, so that the samples of one entry are in memory at a time.
  const items: ReturnType<typeof toHeldObservations>[] = [];
  for (const row of pageRows) items.push(toHeldObservations(row, await readHeldItems(call.keys, row).catch(asUnreadable)));
  return { items, pagination };
}

/** One damaged entry must not hide the list: its times are unknown, and reading it says why. @throws what is no integrity_error */
function asUnreadable(error: unknown): unknown[] {
  if (error instanceof ApiError && error.code === "integrity_error") return [];
  throw error;
}

/** One entry with its items as received. @throws ApiError not_found (absent, or of another hospital) */
export async function getHeldObservations(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "upload:read", (effectiveRole, { db }) => [
    db
      .select()
      .from(heldObservations)
      .where(and(eq(heldObservations.id, id), hospitalFilter(effectiveRole))),
  ]);
  const { keys } = call;
  const { role, hospitalId } = effectiveRole;
  const [[row]] = results;
  if (!row) return denyAccess(call, "upload:read", "not_found", { role, hospitalId, target: { held_observations: id } });
  const event = { event: "observation.held", action: "R", role, hospitalId: row.hospitalId } as const;
  const auditFields = { entity: { type: "held_observations", id }, subjects: heldSubjects(row) };
  await appendAuditEvent(call, { ...event, ...auditFields });
  const note = row.noteSealed === null ? null : await unsealValue(keys.fields, noteOf(row.resolutionId ?? ""), row.noteSealed);
  const items = await readHeldItems(keys, row);
  return { ...toHeldObservations(row, items), note: z.string().nullable().parse(note), items };
}

/** The place of the reason for which a request filed or discarded entries. */
export const noteOf = (id: string) => ({ table: "held_observations", column: "note", id });

/** The samples as received. */
export async function readHeldItems(
  { fields }: Keys,
  { id, itemsSealed }: Pick<HeldRow, "id" | "itemsSealed">,
): Promise<unknown[]> {
  return z.array(z.unknown()).parse(await unsealValue(fields, { table: "held_observations", column: "items", id }, itemsSealed));
}

/** Samples without a patient are kept this long for review. */
const RETENTION_MS = 90 * DAY_MS;

/**
 * Deletes old entries and gives their bytes back to the ceilings. Those of a patient's object count nowhere; their ids are longer
 * than a UUID.
 */
export function pruneHeldObservations(db: Db, now: number): Statement[] {
  const isExpired = lt(heldObservations.receivedAt, now - RETENTION_MS);
  const selectBytes = (
    prefix: string,
    owner: SQL,
  ) => sql`SELECT ${`${TOTAL_PREFIX}${prefix}`} || ${owner} AS scope, 'records' AS name,
    sum(length(items_sealed)) AS bytes FROM held_observations WHERE ${isExpired} AND length(id) = 36 GROUP BY ${owner}`;
  const freed = sql`${selectBytes("h:", sql`hospital_id`)} UNION ALL ${selectBytes("m:", sql`device_id`)}`;
  return [giveBackStatement(db, freed), db.delete(heldObservations).where(isExpired)];
}
