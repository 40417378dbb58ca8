// Another time, practitioner or place of an appointment.
import { sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { roleAllows } from "../../access/permissions.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { batch } from "../../platform/db/client.ts";
import { appointmentEvent, isPerson, sealText } from "./appointment.ts";
import { findBookable } from "./bookable.ts";
import { writeChange } from "./change.ts";
import { tellOfAppointment } from "./notices.ts";
import { isBookablePractitioner, isPatientBusy, selectCalendarVersion, selectPlan, toPlan, unlessBookedOut } from "./plan.ts";
import { requireAppointment } from "./read.ts";
import { nextReminder, statusAt } from "./transitions.ts";

const MINUTE_MS = 60_000;

export type Move = {
  /** Unix ms. */
  start: number;
  duration_minutes?: number | undefined;
  practitioner_id?: string | undefined;
  location_id?: string | null | undefined;
  overbook_reason?: string | undefined;
};

/**
 * Gives it another time, practitioner or place: all or nothing. A person may where they book at once.
 * @throws ApiError not_found, forbidden, illegal_transition, precondition_failed, not_bookable, slot_taken, conflict, limit_reached
 */
export async function moveAppointment(anyCall: Call, id: string, expected: ExpectedVersion, move: Move) {
  const first = await requireAppointment(anyCall, id, "appointment:update");
  const { call, effectiveRole, row } = first;
  const { db, keys, now } = call;
  const event = appointmentEvent("appointment.reschedule", "U", effectiveRole, row);
  if (row.version !== matchVersion(expected, row.version)) return failWithAudit(call, "precondition_failed", event);
  const status = statusAt(row, now);
  if (status !== "proposed" && status !== "booked")
    return failWithAudit(call, "illegal_transition", event, `The appointment is ${status}.`);
  const practitionerId = move.practitioner_id ?? row.practitionerId;
  const end = move.start + (move.duration_minutes ?? (row.endsAt - row.startsAt) / MINUTE_MS) * MINUTE_MS;
  const [rules, schedules, exceptions] = await batch(db, selectPlan(db, practitionerId, move.start, end));
  const booking = toPlan(rules, schedules, exceptions);
  if (!booking) return failWithAudit(call, "not_bookable", event, "The practitioner takes no appointments at this hospital.");
  const isOwn = isPerson(effectiveRole);
  const denied = {
    role: effectiveRole.role,
    hospitalId: row.hospitalId,
    callerHospitalId: effectiveRole.hospitalId,
    patientId: row.patientId,
  };
  const isLate = row.startsAt - booking.rules.cancelUntilMinutes * MINUTE_MS < now;
  if (isOwn && (booking.rules.selfBooking !== "direct" || row.bookedByKind === "waiting_list"))
    return denyAccess(call, "appointment:update", "forbidden", denied);
  if (isOwn && isLate) return failWithAudit(call, "conflict", event, "It is too late to move it; call the hospital.");
  const isOverbooked = move.overbook_reason !== undefined;
  if (isOverbooked && !roleAllows(effectiveRole, "appointment:overbook"))
    return denyAccess(call, "appointment:overbook", "forbidden", { ...denied, fields: ["overbook_reason"] });
  const locationId =
    move.location_id === undefined && practitionerId === row.practitionerId ? row.locationId : (move.location_id ?? null);
  const bookable = findBookable(booking, { start: move.start, end, locationId, isOwn, isOverbooked }, now);
  if ("refused" in bookable) return failWithAudit(call, "not_bookable", event, bookable.refused);
  const reason = move.overbook_reason === undefined ? null : await sealText(keys, id, "overbook_reason", move.overbook_reason);
  const place = bookable.locationId;
  const location =
    place === null
      ? null
      : sql`coalesce((SELECT id FROM locations WHERE id = ${place} AND hospital_id = ${row.hospitalId}), 'nowhere')`;
  const reminder = status === "booked" ? nextReminder(move.start, now) : null;
  const practitioner = practitionerId === row.practitionerId ? sql`practitioner_id` : unlessBookedOut(practitionerId, now);
  const isBusy = isOwn ? isPatientBusy(row.patientId, move.start, end, now, id) : sql`0`;
  return writeChange({
    ...first,
    event: "appointment.reschedule",
    condition: sql`${isBookablePractitioner(practitionerId, row.hospitalId)} AND ${selectCalendarVersion(practitionerId)} = ${booking.version}`,
    set: sql`practitioner_id = ${practitioner}, hospital_id = CASE WHEN ${isBusy} THEN NULL ELSE hospital_id END, location_id = ${location}, changed_from = starts_at,
      starts_at = CAST(${move.start} AS INTEGER), ends_at = CAST(${end} AS INTEGER),
      blocked_from = CAST(${bookable.blockedFrom} AS INTEGER), blocked_until = CAST(${bookable.blockedUntil} AS INTEGER),
      overbooked = CAST(${isOverbooked ? 1 : 0} AS INTEGER), overbook_reason_sealed = ${reason},
      overbooked_by = ${isOverbooked ? getActorId(call.actor) : null}, next_reminder_at = CAST(${reminder} AS INTEGER),
      series_exception = CASE WHEN series_id IS NULL THEN 0 ELSE 1 END`,
    more: tellOfAppointment(call, "appointment.changed", { ...row, practitionerId }),
    detail: { from: new Date(row.startsAt).toISOString(), to: new Date(move.start).toISOString() },
  });
}
