// Changes of an appointment: steps between its states, another time, and its texts. Each is one batch, of which one of several wins.
import { type SQL, sql } from "drizzle-orm";
import { type Call, type EffectiveRole, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import type { AuditEventName } from "../../access/event-names.ts";
import { roleAllows } from "../../access/permissions.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import type { NotificationKind } from "../../notifications/kinds.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import { batch, isForeignKeyViolation, isRoleChanged, isTriggerAbort, type Statement } from "../../platform/db/client.ts";
import { ApiError } from "../../platform/errors.ts";
import { HOUR_MS } from "../../platform/time.ts";
import {
  APPOINTMENT_COLUMNS,
  APPOINTMENTS,
  type AppointmentRow,
  appointmentEvent,
  appointmentVisibility,
  isPerson,
  sealText,
  toAppointment,
} from "./appointment.ts";
import { findBookable } from "./bookable.ts";
import { tellOfAppointment } from "./notices.ts";
import { isBookablePractitioner, selectCalendarVersion, selectPlan, toPlan } from "./plan.ts";
import { type Found, requireAppointment } from "./read.ts";
import { type AppointmentStep, holdsTime, nextReminder, statusAfter, statusAt } from "./transitions.ts";

const MINUTE_MS = 60_000;
/** A patient is checked in this long before and after the start. */
const CHECK_IN_MS = 12 * HOUR_MS;

const EVENTS = {
  confirm: "appointment.confirm",
  check_in: "appointment.check_in",
  fulfil: "appointment.fulfil",
  cancel: "appointment.cancel",
  no_show: "appointment.noshow",
  enter_in_error: "appointment.delete",
} as const satisfies Record<AppointmentStep, AuditEventName>;
const NOTICES: Partial<Record<AppointmentStep, NotificationKind>> = {
  confirm: "appointment.booked",
  cancel: "appointment.cancelled",
};

type Change = Found & {
  event: AuditEventName;
  set: SQL;
  condition?: SQL;
  more?: readonly Statement[];
  detail?: Record<string, unknown>;
};

const isUnchanged = ({ call, effectiveRole, row, condition = sql`1` }: Change): SQL => sql`EXISTS (SELECT 1 FROM appointments a
  WHERE a.id = ${row.id} AND a.version = ${row.version} AND (a.status <> 'proposed' OR a.expires_at > ${call.now})
    AND ${appointmentVisibility(effectiveRole, call.actor, call.now)}) AND ${condition}`;

/** Writes a change with its event. @throws ApiError precondition_failed (changed meanwhile), slot_taken */
async function write(change: Change) {
  const { call, effectiveRole, row, event, set, more = [], detail } = change;
  const { db, actor, now } = call;
  const action = event === "appointment.delete" ? "D" : "U";
  const recorded = { ...appointmentEvent(event, action, effectiveRole, row), ...(detail && { detail }) };
  const written = await batch(db, [
    failsUnless(db, isUnchanged(change)),
    db.run(sql`UPDATE appointments SET ${set}, updated_at = CAST(${now} AS INTEGER), version = version + 1 WHERE id = ${row.id}`),
    ...recordAuditEvent(db, actor, now, recorded),
    ...more,
    db.all<AppointmentRow>(sql`SELECT ${APPOINTMENT_COLUMNS} FROM ${APPOINTMENTS} WHERE a.id = ${row.id}`),
  ]).catch((error: unknown) => {
    if (isTriggerAbort(error, "appointment_overlap")) return failWithAudit(call, "slot_taken", recorded);
    if (isRoleChanged(error)) return failWithAudit(call, "precondition_failed", recorded);
    if (isForeignKeyViolation(error)) {
      const errors = [{ path: "location_id", message: "Must be a location of the hospital", code: "custom" }];
      throw new ApiError("invalid_request", undefined, { errors });
    }
    throw error;
  });
  const [after] = written.at(-1) as AppointmentRow[];
  if (!after) throw new ApiError("unavailable");
  return toAppointment(call, after, effectiveRole);
}

/** Steps of the person: withdraw, and accept what the waiting list offers. */
function findPersonFault({ row, call }: Found, step: AppointmentStep, cancelUntilMinutes: number): "forbidden" | "late" | null {
  if (step === "confirm") return row.bookedByKind === "waiting_list" ? null : "forbidden";
  if (step !== "cancel") return "forbidden";
  return row.startsAt - cancelUntilMinutes * MINUTE_MS < call.now ? "late" : null;
}

const selectCancelLimit = (id: string): SQL => sql`SELECT coalesce((SELECT c.cancel_until_minutes FROM appointments a
  JOIN care_settings c ON c.hospital_id = a.hospital_id WHERE a.id = ${id}), 120) AS minutes`;

async function assertStep(found: Found, step: AppointmentStep, limit: number): Promise<void> {
  const { call, effectiveRole, row } = found;
  const { role, hospitalId } = effectiveRole;
  const event = appointmentEvent(EVENTS[step], "U", effectiveRole, row);
  if (isPerson(effectiveRole)) {
    const fault = findPersonFault(found, step, limit);
    if (fault === "forbidden")
      return denyAccess(call, "appointment:update", "forbidden", {
        role,
        hospitalId: row.hospitalId,
        callerHospitalId: hospitalId,
        patientId: row.patientId,
      });
    if (fault === "late")
      return failWithAudit(call, "conflict", event, `Cancel at least ${limit} minutes ahead, or call the hospital.`);
  }
  if (statusAfter(statusAt(row, call.now), step) === null)
    return failWithAudit(call, "illegal_transition", event, `The appointment is ${statusAt(row, call.now)}.`);
  if (step === "check_in" && Math.abs(row.startsAt - call.now) > CHECK_IN_MS)
    return failWithAudit(call, "illegal_transition", event, "Check in from 12 hours before the start to 12 hours after it.");
}

/** The columns that a step sets. A walk-in reserves no time. */
function columnsOf({ call, row }: Found, step: AppointmentStep): SQL {
  const status = statusAfter(row.status, step) ?? row.status;
  const holds = row.walkIn === 0 && holdsTime(status) ? 1 : 0;
  const reminder = status === "booked" ? nextReminder(row.startsAt, call.now) : null;
  const cancelled = step === "cancel" ? sql`, cancelled_by = ${getActorId(call.actor)}` : sql``;
  return sql`status = ${status}, holds = CAST(${holds} AS INTEGER), expires_at = NULL,
    next_reminder_at = CAST(${reminder} AS INTEGER)${cancelled}`;
}

/**
 * The statements of a step behind those of another change, such as the end of an encounter. Nothing is written unless `when` holds and
 * the appointment is in a state from which the step leads on.
 */
export function stepStatements(
  { db, actor, now }: Call,
  viewer: Pick<EffectiveRole, "role">,
  of: Pick<AppointmentRow, "id" | "hospitalId" | "patientId">,
  step: "check_in" | "fulfil",
  when: SQL,
): Statement[] {
  const from = step === "fulfil" ? sql`'arrived'` : sql`'booked', 'noshow'`;
  const to = step === "fulfil" ? "fulfilled" : "arrived";
  const isDue = sql`EXISTS (SELECT 1 FROM appointments WHERE id = ${of.id} AND status IN (${from}) AND ${when})`;
  return [
    // The event first: behind the change its condition holds no longer.
    ...recordAuditEvent(db, actor, now, { ...appointmentEvent(EVENTS[step], "U", viewer, of), when: isDue }),
    db.run(sql`UPDATE appointments SET status = ${to}, holds = 1 - walk_in, expires_at = NULL, next_reminder_at = NULL,
      updated_at = CAST(${now} AS INTEGER), version = version + 1 WHERE id = ${of.id} AND status IN (${from}) AND ${when}`),
  ];
}

/**
 * One step between states. @param expected null: whatever the version, the state decides
 * @throws ApiError not_found, forbidden, illegal_transition, precondition_failed, conflict, slot_taken
 */
export async function stepAppointment(
  anyCall: Call,
  id: string,
  expected: ExpectedVersion | null,
  step: AppointmentStep,
  reason?: string,
) {
  const found = await requireAppointment(anyCall, id, "appointment:update", ({ db }) => [
    db.all<{ minutes: number }>(selectCancelLimit(id)),
  ]);
  const { call, effectiveRole, row, results } = found;
  const [[limit]] = results as [{ minutes: number }[]];
  const event = appointmentEvent(EVENTS[step], "U", effectiveRole, row);
  if (expected !== null && row.version !== matchVersion(expected, row.version))
    return failWithAudit(call, "precondition_failed", event);
  await assertStep(found, step, limit?.minutes ?? 0);
  const sealed = reason === undefined ? null : await sealText(call.keys, id, "cancel_reason", reason);
  const notice = NOTICES[step];
  const refs = { appointment_id: id, patient_id: row.patientId };
  return write({
    ...found,
    event: EVENTS[step],
    set: sql`${columnsOf(found, step)}${sealed === null ? sql`` : sql`, cancel_reason_sealed = ${sealed}`}`,
    more: [
      ...(notice ? tellOfAppointment(call, notice, row) : []),
      ...(step === "cancel"
        ? publishEvent(call.db, call.actor, call.now, { type: "appointment.cancelled", hospitalId: row.hospitalId, refs })
        : []),
    ],
  });
}

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
 * @throws ApiError not_found, forbidden, illegal_transition, precondition_failed, not_bookable, slot_taken
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
  return write({
    ...first,
    event: "appointment.reschedule",
    condition: sql`${isBookablePractitioner(practitionerId, row.hospitalId)} AND ${selectCalendarVersion(practitionerId)} = ${booking.version}`,
    set: sql`practitioner_id = ${practitionerId}, location_id = ${location}, changed_from = starts_at,
      starts_at = CAST(${move.start} AS INTEGER), ends_at = CAST(${end} AS INTEGER),
      blocked_from = CAST(${bookable.blockedFrom} AS INTEGER), blocked_until = CAST(${bookable.blockedUntil} AS INTEGER),
      overbooked = CAST(${isOverbooked ? 1 : 0} AS INTEGER), overbook_reason_sealed = ${reason},
      overbooked_by = ${isOverbooked ? getActorId(call.actor) : null}, next_reminder_at = CAST(${reminder} AS INTEGER),
      series_exception = CASE WHEN series_id IS NULL THEN 0 ELSE 1 END`,
    more: tellOfAppointment(call, "appointment.changed", { ...row, practitionerId }),
    detail: { from: new Date(row.startsAt).toISOString(), to: new Date(move.start).toISOString() },
  });
}

export type AppointmentChange = {
  reason?: string | null | undefined;
  notes?: string | null | undefined;
  location_id?: string | null | undefined;
};

/** Changes texts and place, by staff. @throws ApiError not_found, forbidden, precondition_failed, invalid_request */
export async function changeAppointment(anyCall: Call, id: string, expected: ExpectedVersion, change: AppointmentChange) {
  const found = await requireAppointment(anyCall, id, "appointment:update");
  const { call, effectiveRole, row } = found;
  const event = appointmentEvent("appointment.update", "U", effectiveRole, row);
  if (isPerson(effectiveRole)) {
    const { role, hospitalId } = effectiveRole;
    return denyAccess(call, "appointment:update", "forbidden", {
      role,
      hospitalId: row.hospitalId,
      callerHospitalId: hospitalId,
      patientId: row.patientId,
    });
  }
  if (row.version !== matchVersion(expected, row.version)) return failWithAudit(call, "precondition_failed", event);
  const seal = (column: "reason" | "notes", text: string | null) =>
    text === null ? null : sealText(call.keys, id, column, text);
  const sets: SQL[] = [];
  if (change.reason !== undefined) sets.push(sql`reason_sealed = ${await seal("reason", change.reason)}`);
  if (change.notes !== undefined) sets.push(sql`notes_sealed = ${await seal("notes", change.notes)}`);
  if (change.location_id !== undefined)
    sets.push(
      change.location_id === null
        ? sql`location_id = NULL`
        : sql`location_id = coalesce((SELECT id FROM locations WHERE id = ${change.location_id} AND hospital_id = ${row.hospitalId}), 'nowhere')`,
    );
  return write({ ...found, event: "appointment.update", set: sql.join(sets, sql`, `), detail: { fields: Object.keys(change) } });
}
