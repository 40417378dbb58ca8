// Exceptions of open times: leave and extra times of a practitioner, closures of a hospital.
import { sql } from "drizzle-orm";
import type { Call, UserCall, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyNotFound } from "../../access/deny.ts";
import { isInCallerHospital } from "../../access/effective-role.ts";
import type { Permission } from "../../access/permissions.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { nullIfCorrupt } from "../../platform/sealed-documents.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import {
  calendarEvent,
  isEditableBy,
  isLocationOf,
  type Owner,
  raiseVersion,
  requireOwner,
  selectHospital,
  selectPractitioner,
  unknownLocation,
} from "./calendars.ts";

/** How long ended exceptions are kept. */
export const EXCEPTION_KEPT_MS = 400 * DAY_MS;

/** Times in Unix ms. */
export type NewException = {
  kind: "leave" | "closed" | "extra";
  from: number;
  until: number;
  locationId: string | null;
  note: string | null;
};

export type ExceptionRow = {
  id: string;
  practitionerId: string | null;
  locationId: string | null;
  kind: NewException["kind"];
  fromAt: number;
  untilAt: number;
  noteSealed: string | null;
};

export const noteContext = (id: string) => ({ table: "schedule_exceptions", column: "note", id });

/** Notes, such as why somebody is away, are for staff. */
export async function toException({ keys }: Call, { role }: UserEffectiveRole, row: ExceptionRow) {
  const note =
    row.noteSealed === null || role === "patient" ? null : unsealValue(keys.fields, noteContext(row.id), row.noteSealed);
  return {
    exception_id: row.id,
    kind: row.kind,
    location_id: row.locationId,
    from: toIso(row.fromAt),
    until: toIso(row.untilAt),
    note: note && (await nullIfCorrupt(note.then(String), () => undefined)),
  };
}

export const EXCEPTION_COLUMNS = sql`e.id AS id, e.practitioner_id AS practitionerId, e.location_id AS locationId, e.kind AS kind,
  e.from_at AS fromAt, e.until_at AS untilAt, e.note_sealed AS noteSealed`;

type Addition = { call: UserCall; effectiveRole: UserEffectiveRole; owner: Owner };

async function addException({ call, effectiveRole, owner }: Addition, input: NewException) {
  const { db, keys, actor, now } = call;
  const id = uuidv7();
  const practitionerId = owner.id === owner.hospitalId ? null : owner.id;
  const noteSealed = input.note === null ? null : await sealValue(keys.fields, noteContext(id), input.note);
  const rows = sql`schedule_exceptions WHERE ${practitionerId === null ? sql`hospital_id = ${owner.hospitalId} AND practitioner_id IS NULL` : sql`practitioner_id = ${practitionerId}`}
    AND until_at > ${now - EXCEPTION_KEPT_MS}`;
  const row = {
    id,
    practitionerId,
    locationId: input.locationId,
    kind: input.kind,
    fromAt: input.from,
    untilAt: input.until,
    noteSealed,
  };
  const ofPractitioner =
    practitionerId === null ? sql`hospital_id = ${owner.hospitalId}` : sql`practitioner_id = ${practitionerId}`;
  const written = await batch(db, [
    db.run(sql`INSERT INTO schedule_exceptions (id, hospital_id, practitioner_id, location_id, kind, from_at, until_at, note_sealed,
        created_by, created_at)
      VALUES (${id}, ${owner.hospitalId}, ${practitionerId}, ${isLocationOf(input.locationId, owner.hospitalId)}, ${input.kind},
        CAST(${input.from} AS INTEGER), CAST(${input.until} AS INTEGER), ${noteSealed},
        ${unlessFull(actor.userId, ROW_LIMITS.scheduleExceptions, rows)}, CAST(${now} AS INTEGER))`),
    raiseVersion(db, owner),
    ...recordAuditEvent(db, actor, now, {
      ...calendarEvent("schedule_exception.create", "C", effectiveRole, owner),
      detail: { kind: input.kind, exception_id: id },
    }),
    db.all<{ id: string }>(sql`SELECT id FROM appointments WHERE ${ofPractitioner} AND holds = 1 AND starts_at < ${input.until}
      AND ends_at > ${input.from} AND starts_at > ${input.from - DAY_MS} AND status IN ('proposed', 'booked') ORDER BY starts_at LIMIT 100`),
  ]).catch((error: unknown) => {
    throw toLimitError(unknownLocation(error), ROW_LIMITS.scheduleExceptions);
  });
  const conflicting = input.kind === "extra" ? [] : ((written.at(-1) as { id: string }[] | undefined) ?? []);
  return { ...(await toException(call, effectiveRole, row)), conflicting: conflicting.map((found) => found.id) };
}

/** Leave or extra time. Appointments within leave stay, and are listed in the answer. @throws ApiError not_found, limit_reached */
export async function createException(anyCall: Call, practitionerId: string, input: NewException) {
  const found = await requireOwner(anyCall, "availability:manage", { practitioner: practitionerId }, (role, actor) =>
    selectPractitioner(practitionerId, isEditableBy(role, actor)),
  );
  return addException(found, input);
}

/** A time at which the hospital is closed. @throws ApiError not_found, forbidden, limit_reached */
export async function createClosure(anyCall: Call, hospitalId: string, input: Omit<NewException, "kind">) {
  const found = await requireOwner(anyCall, "care_settings:manage", { hospital: hospitalId }, (role) =>
    selectHospital(hospitalId, isInCallerHospital(role, sql`h.id`)),
  );
  return addException(found, { ...input, kind: "closed" });
}

async function removeException({ call, effectiveRole, owner }: Addition, permission: Permission, id: string): Promise<void> {
  const { db, actor, now } = call;
  const isOf =
    owner.id === owner.hospitalId
      ? sql`practitioner_id IS NULL AND hospital_id = ${owner.id}`
      : sql`practitioner_id = ${owner.id}`;
  const [removed] = await batch(db, [
    db.all(sql`DELETE FROM schedule_exceptions WHERE id = ${id} AND ${isOf} RETURNING 1`),
    ...recordAuditEvent(db, actor, now, {
      ...calendarEvent("schedule_exception.delete", "D", effectiveRole, owner),
      detail: { exception_id: id },
      when: sql`changes() > 0`,
    }),
    raiseVersion(db, owner),
  ]);
  if (removed.length === 0) await denyNotFound(call, permission, effectiveRole, { schedule_exception: id });
}

/** @throws ApiError not_found */
export async function deleteException(anyCall: Call, practitionerId: string, id: string): Promise<void> {
  const found = await requireOwner(anyCall, "availability:manage", { practitioner: practitionerId }, (role, actor) =>
    selectPractitioner(practitionerId, isEditableBy(role, actor)),
  );
  await removeException(found, "availability:manage", id);
}

/** @throws ApiError not_found, forbidden */
export async function deleteClosure(anyCall: Call, hospitalId: string, id: string): Promise<void> {
  const found = await requireOwner(anyCall, "care_settings:manage", { hospital: hospitalId }, (role) =>
    selectHospital(hospitalId, isInCallerHospital(role, sql`h.id`)),
  );
  await removeException(found, "care_settings:manage", id);
}
