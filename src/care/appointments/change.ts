// Changes of an appointment: steps between its states, another time, and its texts. Each is one batch, of which one of several wins.
import { type SQL, sql } from "drizzle-orm";
import { type Call, type EffectiveRole, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import type { AuditEventName } from "../../access/event-names.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import type { NotificationKind } from "../../notifications/kinds.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import {
  batch,
  isConditionFailed,
  isForeignKeyViolation,
  isRoleChanged,
  isTriggerAbort,
  type Statement,
} from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../../platform/db/row-limits.ts";
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
import { tellOfAppointment } from "./notices.ts";
import { PATIENT_BUSY } from "./plan.ts";
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

/** Writes a change with its event. @throws ApiError precondition_failed (changed meanwhile), slot_taken, conflict, limit_reached */
export async function writeChange(change: Change) {
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
    if (isConditionFailed(error, "appointments.hospital_id")) return failWithAudit(call, "conflict", recorded, PATIENT_BUSY);
    throw toLimitError(error, ROW_LIMITS.practitionerAppointments);
  });
  const [after] = written.at(-1) as AppointmentRow[];
  if (!after) throw new ApiError("unavailable");
  return toAppointment(call, after, effectiveRole);
}

/** Steps of the person: withdraw, and accept what the waiting list offers. */
function findPersonFault({ row, call }: Found, step: AppointmentStep, cancelUntilMinutes: number): "forbidden" | "late" | null {
  if (step === "confirm") return row.bookedByKind === "waiting_list" ? null : "forbidden";
  if (step !== "cancel") return "forbidden";
  // A request that nobody has confirmed.
  if (row.status === "proposed") return null;
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
  return writeChange({
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
  return writeChange({
    ...found,
    event: "appointment.update",
    set: sql.join(sets, sql`, `),
    detail: { fields: Object.keys(change) },
  });
}
