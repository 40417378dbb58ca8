// Quarantined samples are filed for a patient, or discarded, by staff and with a reason. Rows keep what became of them.

import { type SQL, sql } from "drizzle-orm";
import { partition } from "es-toolkit/array";
import { sumBy } from "es-toolkit/math";
import { withUser } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { denyAccess } from "../../access/deny.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { heldObservations } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { callMonitor, callWithFacts, markRecordInUse } from "../intake/ingest.ts";
import type { ItemResult } from "../patient-object/contract.ts";
import { heldSubjects, hospitalFilter, noteOf, readHeldItems, selectHeldSubjects } from "./held-observations.ts";

/** Entries of one request: each is a request of a device, with at most 1,000 samples and one call of the object. */
export const MAX_RESOLVED = 10;

/** Entries of one device: by id, or those received in a time range, oldest first. `after`: the last entry of the request before. */
export type HeldSelection = {
  device_id: string;
  held_ids?: string[] | undefined;
  from?: string | undefined;
  to?: string | undefined;
  after?: string | undefined;
};
/** `conflict`: it was filed for another patient, or discarded. `held`: no sample could be stored, for these reasons. */
export type Resolution = {
  held_id: string;
  status: "filed" | "discarded" | "conflict" | "held";
  stored: number;
  duplicate: number;
  refused: number;
  reasons: string[];
};
type HeldRow = typeof heldObservations.$inferSelect;

const toResolution = ({ id }: HeldRow, status: Resolution["status"], counts: Partial<Resolution> = {}): Resolution => ({
  ...{ held_id: id, status, stored: 0, duplicate: 0, refused: 0, reasons: [] },
  ...counts,
});

/** The condition for the rows of a request. Rows named by id count only if all of them are there. */
function isSelected(hospital: SQL, { device_id, held_ids, from, to, after = "" }: HeldSelection): SQL {
  const ofDevice = sql`device_id = ${device_id} AND ${hospital}`;
  if (held_ids) {
    const named = sql`${ofDevice} AND id IN (SELECT value FROM json_each(${JSON.stringify(held_ids)}))`;
    return sql`${named} AND (SELECT count(*) FROM held_observations WHERE ${named}) = CAST(${new Set(held_ids).size} AS INTEGER)`;
  }
  return sql`${ofDevice} AND state = 'held' AND received_at >= ${from === undefined ? 0 : Date.parse(from)}
    AND received_at < ${to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to)}
    AND (received_at, id) > (coalesce((SELECT received_at FROM held_observations WHERE id = ${after}), -1), ${after})`;
}

/** `set`: what becomes of the rows that are `free`. */
type Change = { selection: HeldSelection; hospital: SQL; set: SQL; free: SQL; reason: string; event: AuditEvent };

/**
 * Changes the free rows of a request and records the event in one batch, so that of two people one succeeds.
 * @returns the rows as they are then, and where the next request continues
 * @throws ApiError not_found when a named entry is absent, of another device or of another hospital
 */
async function changeHeld(call: Call, { selection, hospital, set, free, reason, event }: Change, more: Statement[] = []) {
  const { db, keys, actor, now } = call;
  const { device_id, held_ids } = selection;
  const resolutionId = uuidv7();
  const note = await sealValue(keys.fields, noteOf(resolutionId), reason);
  const isSelectedRow = isSelected(hospital, selection);
  const isChanged = sql`resolution_id = ${resolutionId}`;
  const hasChanged = sql`EXISTS (SELECT 1 FROM held_observations WHERE ${isChanged})`;
  const isFound = held_ids ? sql`EXISTS (SELECT 1 FROM held_observations WHERE ${isSelectedRow})` : sql`1`;
  const isAnswered = held_ids ? isSelectedRow : isChanged;
  const auditEvent = {
    ...event,
    detail: { ...event.detail, ...(held_ids && { held_ids }) },
    subjectsQuery: selectHeldSubjects(isAnswered),
  };
  const [, rows] = await batch(db, [
    db.run(sql`UPDATE held_observations SET ${set}, resolved_by = ${getActorId(actor)}, resolution_id = ${resolutionId},
      note_sealed = ${note} WHERE ${free} AND id IN (SELECT id FROM held_observations WHERE ${isSelectedRow} AND ${free}
        ORDER BY received_at, id LIMIT ${MAX_RESOLVED})`),
    db.select().from(heldObservations).where(isAnswered).orderBy(heldObservations.receivedAt, heldObservations.id),
    ...recordAuditEvent(db, actor, now, { ...auditEvent, when: hasChanged }),
    // The response tells what became of entries that it does not change.
    ...recordAuditEvent(db, actor, now, {
      ...auditEvent,
      event: "observation.held",
      action: "R",
      when: sql`${isFound} AND NOT ${hasChanged}`,
    }),
    ...more,
  ]);
  if (held_ids && rows.length < new Set(held_ids).size) return denyHeld(call, event, device_id);
  return { rows, next: held_ids || rows.length < MAX_RESOLVED ? null : (rows.at(-1)?.id ?? null) };
}

/**
 * Files entries for a patient of their hospital: the samples become history of the patient, as their device said them. The rows name the
 * patient before, so a request that broke off is completed by its repetition, and nobody else files or discards them meanwhile.
 * @throws ApiError not_found (patient or an entry), conflict (closed record)
 */
export async function fileHeldObservations(
  env: Env,
  call: Call,
  { patient_id, reason, ...selection }: HeldSelection & { patient_id: string; reason: string },
) {
  const { patient, role, basis, hospitalId } = await authorizePatient(call, { patient: patient_id }, "upload:assign");
  if (patient.active !== 1) throw new ApiError("conflict", "The patient record does not accept samples.");
  const { db, keys, now } = call;
  const free = sql`state = 'held' AND (filed_patient_id IS NULL OR filed_patient_id = ${patient.id})`;
  const base = {
    ...({ action: "U", role, basis, hospitalId, subjects: [patient.id] } as const),
    entity: { type: "device", id: selection.device_id },
  };
  const change = {
    ...{ selection, reason, free, hospital: sql`hospital_id = ${hospitalId}`, set: sql`filed_patient_id = ${patient.id}` },
    event: { ...base, event: "observation.file_begin" },
  };
  const { rows, next } = await changeHeld(call, change, markRecordInUse(call, patient.id));
  const results: Resolution[] = [];
  const ends: Statement[] = [];
  const resolved: { row: HeldRow; result: Resolution }[] = [];
  for (const row of rows) {
    const isMine = row.filedPatientId === patient.id && row.state !== "discarded";
    if (!isMine || row.state === "filed") {
      results.push(toResolution(row, isMine ? "filed" : "conflict"));
      continue;
    }
    const stored = await storeHeld(env, call, patient.id, row.deviceId, await readHeldItems(keys, row));
    const result = toResolution(row, stored.status, stored);
    results.push(result);
    resolved.push({ row, result });
    const end = stored.status === "filed" ? sql`state = 'filed', resolved_at = CAST(${now} AS INTEGER)` : RELEASE;
    ends.push(db.run(sql`UPDATE held_observations SET ${end} WHERE id = ${row.id} AND ${free}`));
  }
  if (ends.length === 0) return { results, next };
  const [filed, held] = partition(resolved, ({ result }) => result.status === "filed");
  const failed = { outcome: "failed", reason: "nothing_stored" } as const;
  await batch(db, [
    ...ends,
    ...recordEnd(call, { ...base, event: "observation.file" }, filed),
    ...recordEnd(call, { ...base, event: "observation.file", ...failed }, held),
  ]);
  return { results, next };
}

/** The event of entries that ended alike, with what became of their samples. */
function recordEnd(
  { db, actor, now }: Call,
  event: AuditEvent,
  entries: readonly { row: HeldRow; result: Resolution }[],
): Statement[] {
  if (entries.length === 0) return [];
  const sum = (name: "stored" | "duplicate" | "refused") => sumBy(entries, ({ result }) => result[name]);
  const counts = { stored: sum("stored"), duplicate: sum("duplicate"), refused: sum("refused") };
  const detail = { held_ids: entries.map(({ row }) => row.id), ...counts };
  const subjects = [...(event.subjects ?? []), ...entries.flatMap(({ row }) => heldSubjects(row))];
  return recordAuditEvent(db, actor, now, { ...event, detail, subjects });
}

const RELEASE = sql`filed_patient_id = NULL, resolved_by = NULL, resolution_id = NULL, note_sealed = NULL`;

/** @throws ApiError conflict (closed record), unavailable */
async function storeHeld(env: Env, call: Call, patientId: string, device: string, items: unknown[]) {
  const samples = { items, sent_at: null, conditions: null };
  const recorded = await callWithFacts(env, call, patientId, () =>
    callMonitor(env, async () => env.PATIENT_MONITOR.getByName(patientId).record({ kind: "filed", device }, samples)),
  );
  if (!recorded.known) throw new ApiError("conflict", "The patient record does not accept samples.");
  const count = (...statuses: ItemResult["status"][]) =>
    recorded.results.filter(({ status }) => statuses.includes(status)).length;
  const [stored, duplicate] = [count("stored"), count("duplicate")];
  const reasons = [
    ...new Set(recorded.results.flatMap(({ status, reason }) => (status === "rejected" && reason ? [reason] : []))),
  ];
  const status = stored + duplicate > 0 ? ("filed" as const) : ("held" as const);
  return { status, stored, duplicate, refused: recorded.results.length - stored - duplicate, reasons };
}

/** Discards entries. Their samples stay readable until they are deleted. @throws ApiError not_found (an entry) */
export async function discardHeldObservations(anyCall: Call, { reason, ...selection }: HeldSelection & { reason: string }) {
  const { call, effectiveRole } = await withUser(anyCall, "upload:assign", () => []);
  const { role, hospitalId } = effectiveRole;
  const { rows, next } = await changeHeld(call, {
    ...{ selection, reason, hospital: hospitalFilter(effectiveRole) },
    set: sql`state = 'discarded', resolved_at = CAST(${call.now} AS INTEGER)`,
    free: sql`state = 'held' AND filed_patient_id IS NULL`,
    event: {
      ...({ event: "observation.discard", action: "D", role, hospitalId } as const),
      entity: { type: "device", id: selection.device_id },
    },
  });
  return { results: rows.map((row) => toResolution(row, row.state === "discarded" ? "discarded" : "conflict")), next };
}

function denyHeld(call: Call, { role, hospitalId = null }: AuditEvent, device: string): Promise<never> {
  return denyAccess(call, "upload:assign", "not_found", { ...(role && { role }), hospitalId, target: { device } });
}
