// Audit events: staged by statements of the caller's own batch, so that a change and its event commit together or not at all, or
// appended to their log while a read goes on.

import { appendAll, type ReadQuota } from "../audit-log/append-or-stage.ts";
import type { AuditLogEvent } from "../audit-log/contract.ts";
import { stageEvent } from "../audit-log/staged-events.ts";
import type { Db, Statement } from "../platform/db/client.ts";
import { uuidv7 } from "../platform/ids.ts";
import { attachCharge } from "../platform/storage-quotas.ts";
import { type Actor, type Call, getActorId } from "./actor.ts";
import type { AuditEvent } from "./audit-event.ts";
import { groundFields } from "./consented.ts";
import { purposeOf } from "./purposes.ts";
import { limitRows } from "./row-allowance.ts";
import { readBytesPerDay, toStorageCharge } from "./storage-charges.ts";

export type { AuditAction, AuditEvent } from "./audit-event.ts";

/** Requests that have made a statement of an event. */
const stagingRequests = new WeakSet<Actor["via"]>();

/** Whether the request of this actor may have staged events. */
export const mayHaveStaged = ({ via }: Actor): boolean => stagingRequests.has(via);

/** An event as it stands in the log. */
function toLogEvent(actor: Actor, now: number, event: AuditEvent): AuditLogEvent {
  const hospitalId = event.hospitalId ?? null;
  const workplaceId = event.actorHospitalId ?? null;
  return {
    id: event.id ?? uuidv7(),
    recorded: now,
    event: event.event,
    action: event.action,
    outcome: event.outcome ?? "success",
    reason: event.reason ?? null,
    actor: { kind: actor.kind, id: actor.kind === "anonymous" ? null : getActorId(actor), role: event.role ?? null },
    hospital_id: hospitalId,
    actor_hospital_id: workplaceId === hospitalId ? null : workplaceId,
    basis: event.basis ?? null,
    purpose: purposeOf(actor, event),
    entity: event.entity ?? null,
    request_id: actor.via.requestId,
    ip: actor.via.ip,
    detail: event.ground ? { ...event.detail, ...event.ground } : (event.detail ?? null),
    subjects: [...new Set(event.subjects ?? [])],
  };
}

/**
 * The statements that stage one event; add them to the batch that performs the action. The event is handed over to its log behind
 * the response (audit-log/hand-over.ts). A success counts the batch against the storage quotas of actor and hospital
 * (storage-charges.ts). Refusals and events that count against no quota have a row up to a number per day (row-allowance.ts);
 * beyond it the statement of the row changes nothing.
 */
export function recordAuditEvent(db: Db, actor: Actor, now: number, event: AuditEvent): Statement[] {
  stagingRequests.add(actor.via);
  const charge = toStorageCharge(actor, now, event);
  const { count, isRowKept } = limitRows(db, actor, now, event, charge !== null);
  const stage = stageEvent(db, toLogEvent(actor, now, event), event.subjectsQuery, isRowKept);
  if (charge) attachCharge(stage, charge);
  return [...count, stage];
}

/** An event that SQL decides nothing about. */
export type KnownEvent = Omit<AuditEvent, "subjectsQuery" | "when" | "storedFiles" | "derivedBytes" | "importGrant">;

/**
 * Appends the events of a read, or of a change that was begun (begun-change.ts), to their logs; no data are returned before. Events of a log that fails twice are staged in D1.
 * @throws ApiError unavailable when that fails too; quota_exceeded when a patient, device or app has read too much that day
 */
export function appendAuditEvent(
  { db, actor, now, auditLog }: Pick<Call, "db" | "actor" | "now" | "auditLog">,
  events: KnownEvent | readonly KnownEvent[],
): Promise<void> {
  const list: readonly KnownEvent[] = Array.isArray(events) ? events : [events];
  return appendAll(
    auditLog,
    db,
    list.map((event) => toLogEvent(actor, now, event)),
    toReadQuota(actor, now, list[0]),
  );
}

function toReadQuota(actor: Actor, now: number, event: KnownEvent | undefined): ReadQuota | null {
  const bytesPerDay = readBytesPerDay(actor);
  const charge = event && toStorageCharge(actor, now, event);
  return charge && bytesPerDay !== null ? { reader: { id: getActorId(actor), bytesPerDay }, charge } : null;
}

/**
 * The events of a list that may name patients of several hospitals: one per hospital of its rows and ground, or one for an empty list.
 * @param hospitalId the caller's hospital  @param groundOf what opened a row beyond the role (`selectGroundOf`)
 */
export function toListEvents<R>(
  rows: readonly R[],
  hospitalOf: (row: R) => string | null,
  hospitalId: string | null,
  toEvent: (rows: readonly R[]) => Omit<KnownEvent, "hospitalId">,
  groundOf: (row: R) => string | null = () => null,
): KnownEvent[] {
  if (rows.length === 0) return [{ ...toEvent([]), hospitalId }];
  return [...Map.groupBy(rows, (row) => JSON.stringify([hospitalOf(row), groundOf(row)])).values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ ...toEvent(group), hospitalId: hospitalOf(first), ...groundFields(groundOf(first), hospitalId) }] : [];
  });
}

/**
 * Returns the result of `work` once the audit event is stored. Reading a sealed record may start in parallel with the audit
 * write, but is never returned before it.
 */
export async function afterAudit<T>(stored: Promise<unknown>, work: Promise<T>): Promise<T> {
  // Awaited below; prevents an unhandled rejection in the meantime.
  work.catch(() => undefined);
  await stored;
  return work;
}
