// Schemas that the routes of appointments share.
import { z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import { EXAMPLES, Id, PatientRef, TimeInput, Timestamp } from "../../http/router.ts";
import { APPOINTMENT_STATUSES, BOOKER_KINDS } from "../../platform/db/vocabulary.ts";
import { multiLine, singleLine } from "../../platform/text.ts";
import { STATUS_WORDS } from "./transitions.ts";

export const AppointmentId = Id.openapi({ example: EXAMPLES.appointment });
export const appointmentParams = z.object({ appointment_id: AppointmentId });
const PractitionerId = Id.openapi({ example: EXAMPLES.practitioner });
const LocationId = Id.openapi({ example: EXAMPLES.location });

/** Whole minutes of the day in steps of five; a time with seconds is refused. */
export const startTime = TimeInput.refine((time) => Date.parse(time) % 60_000 === 0, "Must be a whole minute").openapi({
  example: "2026-12-01T04:30:00Z",
});
export const durationMinutes = z.int().min(5).max(480).multipleOf(5);
const overbookReason = singleLine(500)
  .refine((reason) => reason.length >= 10, "Say why in at least 10 characters")
  .openapi({
    description: "Books although the time is taken or not open: why",
    minLength: 10,
    example: "Urgent; agreed with the doctor",
  });

export const NewAppointment = z
  .strictObject({
    patient_id: PatientRef.optional().openapi({ description: "Default: the caller's own record" }),
    practitioner_id: PractitionerId,
    location_id: LocationId.optional(),
    start: startTime,
    duration_minutes: durationMinutes.default(30),
    reason: singleLine(500).optional().openapi({ example: "Follow-up of the ECG" }),
    notes: multiLine(2_000).optional().openapi({ description: "For staff alone" }),
    overbook_reason: overbookReason.optional(),
  })
  .openapi("NewAppointment");

export const AppointmentMove = z
  .strictObject({
    start: startTime,
    duration_minutes: durationMinutes.optional(),
    practitioner_id: PractitionerId.optional(),
    location_id: LocationId.nullable().optional(),
    overbook_reason: overbookReason.optional(),
  })
  .openapi("AppointmentMove");

const statusWord = z.enum(STATUS_WORDS).openapi({ description: "FHIR's word, or the one of `legacy_status`", example: "booked" });
export const AppointmentChange = z
  .strictObject({
    reason: singleLine(500).nullable().optional(),
    notes: multiLine(2_000).nullable().optional(),
    location_id: LocationId.nullable().optional(),
    status: statusWord.optional().openapi({ description: "A step to this status; alone in the request" }),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .refine(({ status, ...others }) => status === undefined || Object.keys(others).length === 0, {
    path: ["status"],
    message: "Alone in the request",
  })
  .openapi("AppointmentChange");

export const appointmentQuery = z.strictObject({
  ...pageQuery,
  patient_id: Id.optional(),
  practitioner_id: PractitionerId.optional(),
  location_id: LocationId.optional(),
  status: statusWord.optional(),
  from: TimeInput.optional().openapi({ description: "Starts at or after" }),
  to: TimeInput.optional().openapi({ description: "Starts before" }),
});

export const Appointment = z
  .object({
    appointment_id: AppointmentId,
    status: z.enum(APPOINTMENT_STATUSES),
    legacy_status: z.enum(["pending", "scheduled", "checked_in", "completed", "cancelled", "no_show", "entered_in_error"]),
    patient: z.object({ patient_id: Id, patient_number: z.int(), name: z.string().nullable() }),
    practitioner: z.object({ practitioner_id: PractitionerId, name: z.string().nullable() }),
    hospital_id: Id,
    hospital_name: z.string(),
    time_zone: z.string().openapi({ description: "IANA name, of the hospital" }),
    location: z.object({ location_id: LocationId, name: z.string() }).nullable(),
    start: Timestamp,
    end: Timestamp,
    duration_minutes: z.number(),
    reason: z.string().nullable(),
    notes: z.string().nullable().openapi({ description: "For staff; null for patients" }),
    cancel_reason: z.string().nullable().openapi({ description: "`expired` for a request that nobody confirmed in time" }),
    overbooked: z.boolean(),
    overbook_reason: z.string().nullable(),
    walk_in: z.boolean(),
    series_id: Id.nullable(),
    expires_at: Timestamp.nullable().openapi({ description: "Until when a request holds its time" }),
    changed_from: Timestamp.nullable().openapi({ description: "The start before it was last moved" }),
    video: z.boolean(),
    queue_number: z.int().nullable(),
    booked_by: z.enum(BOOKER_KINDS),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.int(),
  })
  .openapi("Appointment");

export const exampleNew = {
  patient_id: EXAMPLES.patient,
  practitioner_id: EXAMPLES.practitioner,
  start: "2026-12-01T04:30:00Z",
  duration_minutes: 30,
  reason: "Follow-up of the ECG",
};
export const exampleAppointment = {
  appointment_id: EXAMPLES.appointment,
  status: "booked" as const,
  legacy_status: "scheduled" as const,
  patient: { patient_id: EXAMPLES.patient, patient_number: 1042, name: "Asha Verma" },
  practitioner: { practitioner_id: EXAMPLES.practitioner, name: "Dr. Meera Iyer" },
  hospital_id: EXAMPLES.hospital,
  hospital_name: "Demo General",
  time_zone: "Asia/Kolkata",
  location: null,
  start: "2026-12-01T04:30:00.000Z",
  end: "2026-12-01T05:00:00.000Z",
  duration_minutes: 30,
  reason: "Follow-up of the ECG",
  notes: null,
  cancel_reason: null,
  overbooked: false,
  overbook_reason: null,
  walk_in: false,
  series_id: null,
  expires_at: null,
  changed_from: null,
  video: false,
  queue_number: null,
  booked_by: "staff" as const,
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};
