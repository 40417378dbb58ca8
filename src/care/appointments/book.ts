// Booking: one statement that cannot double. Triggers refuse times that intersect (migration 0029); the insert itself refuses what has
// changed since it was decided.
import { type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { type Access, accessAllows, withPatient } from "../../access/patient-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { accessStillValid } from "../../access/still-valid.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import { batch, isConditionFailed, isForeignKeyViolation, isTriggerAbort, type Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import {
  APPOINTMENT_COLUMNS,
  APPOINTMENTS,
  type AppointmentRow,
  appointmentEvent,
  sealText,
  toAppointment,
} from "./appointment.ts";
import { type Bookable, findBookable, type Wanted } from "./bookable.ts";
import { tellOfAppointment } from "./notices.ts";
import {
  type BookingPlan,
  isBookablePractitioner,
  isPatientBusy,
  PATIENT_BUSY,
  selectCalendarVersion,
  selectPlan,
  toPlan,
  unlessBookedOut,
} from "./plan.ts";
import { nextReminder } from "./transitions.ts";

const MINUTE_MS = 60_000;

export type NewAppointment = {
  patient_id?: string | undefined;
  practitioner_id: string;
  location_id?: string | undefined;
  /** Unix ms. */
  start: number;
  duration_minutes: number;
  reason?: string | undefined;
  notes?: string | undefined;
  overbook_reason?: string | undefined;
};

export const isOwnBasis = ({ basis }: Pick<Access, "basis">): boolean => basis === "self" || basis === "guardian";

const bookerKind = ({ basis }: Access) => {
  if (basis === "self") return "patient";
  return basis === "guardian" || basis === "app" ? basis : "staff";
};

/** What the person who books for themselves may not: notes are of staff, and overbooking needs its permission. */
async function assertMayWrite(call: Call, access: Access, input: NewAppointment): Promise<void> {
  const { role, hospitalId, patient } = access;
  const denied = { role, hospitalId, patientId: patient.id };
  if (isOwnBasis(access) && input.notes !== undefined)
    await denyAccess(call, "appointment:create", "forbidden", { ...denied, fields: ["notes"] });
  if (input.overbook_reason !== undefined && !accessAllows(access, "appointment:overbook"))
    await denyAccess(call, "appointment:overbook", "forbidden", { ...denied, fields: ["overbook_reason"] });
}

/** The status that a booking begins with, and until when a request of a person holds its time. @throws ApiError forbidden */
function beginStatus(access: Access, { rules }: BookingPlan, now: number) {
  if (!isOwnBasis(access)) return { status: "booked", expiresAt: null } as const;
  if (rules.selfBooking === "off") throw new ApiError("forbidden", "The hospital does not take bookings by patients; call it.");
  if (rules.selfBooking === "direct") return { status: "booked", expiresAt: null } as const;
  return { status: "proposed", expiresAt: now + rules.proposalMinutes * MINUTE_MS } as const;
}

type Booking = { call: Call; access: Access; input: NewAppointment; booking: BookingPlan; wanted: Wanted; bookable: Bookable };

/** The open appointments ahead that a person made for the record. */
const ownAhead = (patientId: string, now: number): SQL => sql`appointments WHERE patient_id = ${patientId} AND starts_at > ${now}
  AND holds = 1 AND booked_by_kind IN ('patient', 'guardian') AND (status <> 'proposed' OR expires_at > ${now})`;

function conditionsOf({ call, access, input, booking }: Booking): SQL {
  const { patient, hospitalId } = access;
  return sql`${accessStillValid(call.actor, access, call.now)} AND ${isBookablePractitioner(input.practitioner_id, hospitalId)}
    AND ${selectCalendarVersion(input.practitioner_id)} = ${booking.version}
    AND EXISTS (SELECT 1 FROM patients WHERE id = ${patient.id} AND merged_into IS NULL AND active = 1)`;
}

/** The location of the hospital, or an id that does not exist: the foreign key then fails the batch. */
const locationOf = (locationId: string | null, hospitalId: string): SQL | null =>
  locationId === null
    ? null
    : sql`coalesce((SELECT id FROM locations WHERE id = ${locationId} AND hospital_id = ${hospitalId} AND active = 1), 'nowhere')`;

async function insertAppointment(
  id: string,
  of: Booking,
): Promise<{ insert: Statement; row: Pick<AppointmentRow, "id" | "hospitalId" | "patientId" | "status"> }> {
  const { call, access, input, booking, wanted, bookable } = of;
  const { db, keys, actor, now } = call;
  const { patient, hospitalId } = access;
  const { status, expiresAt } = beginStatus(access, booking, now);
  const seal = (column: Parameters<typeof sealText>[2], text: string | undefined) =>
    text === undefined ? null : sealText(keys, id, column, text);
  const [reason, notes, overbookReason] = await Promise.all([
    seal("reason", input.reason),
    seal("notes", input.notes),
    seal("overbook_reason", input.overbook_reason),
  ]);
  const isOwn = isOwnBasis(access);
  const ahead = sql`appointments WHERE patient_id = ${patient.id} AND starts_at > ${now} AND holds = 1`;
  const own = { max: booking.rules.maxOpenOwn, column: "", detail: "" };
  const bookedBy = isOwn ? unlessFull(getActorId(actor), own, ownAhead(patient.id, now)) : sql`${getActorId(actor)}`;
  const intersects = isPatientBusy(patient.id, wanted.start, wanted.end, now);
  const hospital = isOwn ? sql`CASE WHEN ${intersects} THEN NULL ELSE ${hospitalId} END` : sql`${hospitalId}`;
  const isOverbooked = wanted.isOverbooked ? 1 : 0;
  const reminder = status === "booked" ? nextReminder(wanted.start, now) : null;
  const insert =
    db.run(sql`INSERT INTO appointments (id, hospital_id, patient_id, practitioner_id, location_id, status, holds, starts_at,
      ends_at, blocked_from, blocked_until, overbooked, overbook_reason_sealed, overbooked_by, walk_in, expires_at, reason_sealed,
      notes_sealed, next_reminder_at, booked_by, booked_by_kind, created_at, updated_at)
    VALUES ((SELECT ${id} WHERE ${conditionsOf(of)}), ${hospital}, ${unlessFull(patient.id, ROW_LIMITS.openAppointments, ahead)},
      ${unlessBookedOut(input.practitioner_id, now)},
      ${locationOf(bookable.locationId, hospitalId)}, ${status}, 1, CAST(${wanted.start} AS INTEGER), CAST(${wanted.end} AS INTEGER),
      CAST(${bookable.blockedFrom} AS INTEGER), CAST(${bookable.blockedUntil} AS INTEGER), CAST(${isOverbooked} AS INTEGER),
      ${overbookReason}, ${wanted.isOverbooked ? getActorId(actor) : null}, 0, CAST(${expiresAt} AS INTEGER), ${reason}, ${notes},
      CAST(${reminder} AS INTEGER), ${bookedBy}, ${bookerKind(access)}, CAST(${now} AS INTEGER), CAST(${now} AS INTEGER))`);
  return { insert, row: { id, hospitalId, patientId: patient.id, status } };
}

const CHANGED = "The practitioner, the open times or the record have changed; look at the free times again.";

/** The problem of a batch that wrote nothing. */
function failBooking({ call, access, input }: Booking, error: unknown): Promise<never> {
  const event = {
    ...appointmentEvent("appointment.create", "C", access, {
      id: "",
      hospitalId: access.hospitalId,
      patientId: access.patient.id,
    }),
  };
  const { entity: _, ...failure } = event;
  if (isTriggerAbort(error, "appointment_overlap")) return failWithAudit(call, "slot_taken", failure);
  if (isConditionFailed(error, "appointments.id")) return failWithAudit(call, "not_bookable", failure, CHANGED);
  if (isConditionFailed(error, "appointments.hospital_id")) return failWithAudit(call, "conflict", failure, PATIENT_BUSY);
  if (isConditionFailed(error, "appointments.booked_by"))
    return failWithAudit(
      call,
      "limit_reached",
      failure,
      "As many appointments are booked as the hospital allows; cancel one first.",
    );
  if (isForeignKeyViolation(error)) {
    const errors = [{ path: "location_id", message: "Must be a location of the hospital", code: "custom" }];
    throw new ApiError("invalid_request", undefined, { errors: input.location_id === undefined ? [] : errors });
  }
  throw toLimitError(error, ROW_LIMITS.openAppointments, ROW_LIMITS.practitionerAppointments);
}

/**
 * Books a time of a practitioner. By a patient or guardian within the hospital's rules, as a request or at once.
 * @throws ApiError not_found, forbidden, slot_taken, not_bookable, conflict, limit_reached, invalid_request
 */
export async function bookAppointment(call: Call, input: NewAppointment, keyStatements: KeyStatements) {
  const { db, actor, now } = call;
  const end = input.start + input.duration_minutes * MINUTE_MS;
  const target = input.patient_id === undefined ? OWN_RECORD : { patient: input.patient_id };
  const { access, results } = await withPatient(call, target, "appointment:create", () => [
    ...selectPlan(db, input.practitioner_id, input.start, end),
    db.all<{ yes: number }>(sql`SELECT ${isBookablePractitioner(input.practitioner_id, sql`h.id`)} AS yes, h.id AS id
      FROM practitioners p JOIN hospitals h ON h.id = p.hospital_id WHERE p.id = ${input.practitioner_id}`),
  ]);
  await assertMayWrite(call, access, input);
  const [rules, schedules, exceptions, [practitioner]] = results;
  const booking = toPlan(rules, schedules, exceptions);
  const isHere = (practitioner as { id?: string } | undefined)?.id === access.hospitalId;
  const failure = {
    event: "appointment.create",
    action: "C",
    role: access.role,
    hospitalId: access.hospitalId,
    subjects: [access.patient.id],
  } as const;
  if (!booking || !isHere || practitioner?.yes !== 1)
    return failWithAudit(call, "not_bookable", failure, "The practitioner takes no appointments at this hospital.");
  const isOwn = isOwnBasis(access);
  const wanted = {
    ...{ start: input.start, end, locationId: input.location_id ?? null },
    ...{ isOwn, isOverbooked: input.overbook_reason !== undefined },
  };
  beginStatus(access, booking, now);
  const bookable = findBookable(booking, wanted, now);
  if ("refused" in bookable) return failWithAudit(call, "not_bookable", failure, bookable.refused);
  const of: Booking = { call, access, input, booking, wanted, bookable };
  const id = uuidv7();
  const { insert, row } = await insertAppointment(id, of);
  const refs = { appointment_id: id, patient_id: row.patientId };
  const statements = [
    ...keyStatements(id),
    insert,
    ...recordAuditEvent(db, actor, now, appointmentEvent("appointment.create", "C", access, row)),
    ...(wanted.isOverbooked ? recordAuditEvent(db, actor, now, appointmentEvent("appointment.overbook", "U", access, row)) : []),
    ...tellOfAppointment(call, row.status === "proposed" ? "appointment.requested" : "appointment.booked", {
      ...row,
      practitionerId: input.practitioner_id,
    }),
    ...publishEvent(db, actor, now, { type: "appointment.booked", hospitalId: row.hospitalId, refs }),
  ];
  const written = await batch(db, [
    ...statements,
    db.all<AppointmentRow>(sql`SELECT ${APPOINTMENT_COLUMNS} FROM ${APPOINTMENTS} WHERE a.id = ${id}`),
  ]).catch((error: unknown) => failBooking(of, error));
  const [after] = written.at(-1) as AppointmentRow[];
  if (!after) throw new ApiError("unavailable");
  return toAppointment(call, after, access);
}
