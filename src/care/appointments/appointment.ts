// The rows of appointments that a caller may see, and how the API shows them.
import { type SQL, sql } from "drizzle-orm";
import { type Call, type EffectiveRole, getActorId, type Principal } from "../../access/actor.ts";
import { unsealProfile } from "../../access/profile.ts";
import { guardianVisibility, isUnrestricted } from "../../access/visibility.ts";
import { displayName, unsealIdentity } from "../../patients/identity/sealed-fields.ts";
import type { Keys } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import type { appointments } from "../../platform/db/schema.ts";
import { nullIfCorrupt } from "../../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { LEGACY_STATUS, statusAt } from "./transitions.ts";

export type AppointmentRow = typeof appointments.$inferSelect & {
  patientNumber: number;
  identitySealed: string;
  patientVersion: number;
  practitionerUserId: string;
  profileSealed: string;
  hospitalName: string;
  zone: string;
  locationName: string | null;
  video: number;
  queueNumber: number | null;
};

/** Columns of `APPOINTMENTS`. */
export const APPOINTMENT_COLUMNS = sql`a.id AS id, a.hospital_id AS hospitalId, a.patient_id AS patientId,
  a.practitioner_id AS practitionerId, a.location_id AS locationId, a.status AS status, a.holds AS holds, a.starts_at AS startsAt,
  a.ends_at AS endsAt, a.blocked_from AS blockedFrom, a.blocked_until AS blockedUntil, a.overbooked AS overbooked,
  a.overbook_reason_sealed AS overbookReasonSealed, a.overbooked_by AS overbookedBy, a.walk_in AS walkIn, a.expires_at AS expiresAt,
  a.reason_sealed AS reasonSealed, a.notes_sealed AS notesSealed, a.series_id AS seriesId, a.occurrence AS occurrence,
  a.series_exception AS seriesException, a.next_reminder_at AS nextReminderAt, a.cancelled_by AS cancelledBy,
  a.cancel_reason_sealed AS cancelReasonSealed, a.changed_from AS changedFrom, a.booked_by AS bookedBy,
  a.booked_by_kind AS bookedByKind, a.created_at AS createdAt, a.updated_at AS updatedAt, a.version AS version,
  p.patient_number AS patientNumber, p.identity_sealed AS identitySealed, p.version AS patientVersion,
  n.user_id AS practitionerUserId, u.profile_sealed AS profileSealed, h.name AS hospitalName, h.time_zone AS zone,
  l.name AS locationName, coalesce((SELECT c.video FROM care_settings c WHERE c.hospital_id = a.hospital_id), 0) AS video,
  (SELECT q.n FROM queue_tokens q WHERE q.appointment_id = a.id) AS queueNumber`;

/** Rows `a` with patient, practitioner, hospital and place. CROSS JOIN keeps the order: appointments first, the others by key. */
export const APPOINTMENTS = sql`appointments a CROSS JOIN patients p ON p.id = a.patient_id
  CROSS JOIN practitioners n ON n.id = a.practitioner_id CROSS JOIN users u ON u.id = n.user_id
  CROSS JOIN hospitals h ON h.id = a.hospital_id LEFT JOIN locations l ON l.id = a.location_id`;

/**
 * Rows `a` that the caller may see: of patients whom they see or are guardian of, and a practitioner's own, whoever treats the patient.
 */
export function appointmentVisibility(effectiveRole: EffectiveRole, actor: Principal, now: number): SQL {
  const [patientId, hospitalId] = [sql`a.patient_id`, sql`a.hospital_id`];
  const ofPatients = guardianVisibility(effectiveRole, actor, patientId, hospitalId, now);
  if (effectiveRole.role !== "doctor" || effectiveRole.doctorScope === "hospital") return sql`(${ofPatients})`;
  return sql`((${ofPatients}) OR (a.hospital_id = ${effectiveRole.hospitalId} AND ${isUnrestricted(effectiveRole, patientId)}
    AND a.practitioner_id IN (SELECT o.id FROM practitioners o WHERE o.user_id = ${getActorId(actor)}
      AND o.hospital_id = ${effectiveRole.hospitalId})))`;
}

/** Rows whose status is the given one at `now`. */
export const isInStatus = (status: string, now: number): SQL => {
  const hasExpired = sql`(a.status = 'proposed' AND a.expires_at <= ${now})`;
  if (status === "cancelled") return sql`(a.status = 'cancelled' OR ${hasExpired})`;
  return status === "proposed" ? sql`(a.status = 'proposed' AND a.expires_at > ${now})` : sql`a.status = ${status}`;
};

/** Who reads or changes an appointment. */
export type Viewer = { role: EffectiveRole["role"] | "device" };

type SealedText = "reason" | "notes" | "cancel_reason" | "overbook_reason";
const contextOf = (id: string, column: SealedText) => ({ table: "appointments", column, id });
export const sealText = (keys: Keys, id: string, column: SealedText, text: string): Promise<string> =>
  sealValue(keys.fields, contextOf(id, column), text);
const unsealText = async (keys: Keys, id: string, column: SealedText, sealed: string | null, onCorrupt?: () => void) =>
  sealed === null
    ? null
    : nullIfCorrupt(
        unsealValue(keys.fields, contextOf(id, column), sealed).then((text) => String(text)),
        onCorrupt,
      );

/** Who acts: of a patient's roles, notes and the reason of an overbooking are hidden. */
export const isPerson = ({ role }: Viewer): boolean => role === "patient";

/** @param onCorrupt for lists, in which one corrupt value is shown as null */
export async function toAppointment(
  { keys, now }: Pick<Call, "keys" | "now">,
  row: AppointmentRow,
  viewer: Viewer,
  onCorrupt?: () => void,
) {
  const { id } = row;
  const isStaff = !isPerson(viewer);
  const identityRow = { id: row.patientId, version: row.patientVersion, identity_sealed: row.identitySealed };
  const [identity, profile, reason, notes, cancelReason, overbookReason] = await Promise.all([
    nullIfCorrupt(unsealIdentity(keys, identityRow), onCorrupt),
    nullIfCorrupt(unsealProfile(keys, { id: row.practitionerUserId, profileSealed: row.profileSealed }), onCorrupt),
    unsealText(keys, id, "reason", row.reasonSealed, onCorrupt),
    unsealText(keys, id, "notes", isStaff ? row.notesSealed : null, onCorrupt),
    unsealText(keys, id, "cancel_reason", row.cancelReasonSealed, onCorrupt),
    unsealText(keys, id, "overbook_reason", isStaff ? row.overbookReasonSealed : null, onCorrupt),
  ]);
  const status = statusAt(row, now);
  return {
    appointment_id: id,
    status,
    legacy_status: LEGACY_STATUS[status],
    patient: { patient_id: row.patientId, patient_number: row.patientNumber, name: identity && displayName(identity) },
    practitioner: { practitioner_id: row.practitionerId, name: profile?.full_name ?? null },
    hospital_id: row.hospitalId,
    hospital_name: row.hospitalName,
    time_zone: row.zone,
    location: row.locationId === null ? null : { location_id: row.locationId, name: row.locationName ?? "" },
    start: toIso(row.startsAt),
    end: toIso(row.endsAt),
    duration_minutes: (row.endsAt - row.startsAt) / 60_000,
    reason,
    notes,
    cancel_reason: status === "cancelled" && row.status === "proposed" ? "expired" : cancelReason,
    overbooked: row.overbooked === 1,
    overbook_reason: overbookReason,
    walk_in: row.walkIn === 1,
    series_id: row.seriesId,
    expires_at: status === "proposed" ? toIsoOrNull(row.expiresAt) : null,
    changed_from: toIsoOrNull(row.changedFrom),
    video: row.video === 1,
    queue_number: row.queueNumber,
    booked_by: row.bookedByKind,
    created_at: toIso(row.createdAt),
    updated_at: toIso(row.updatedAt),
    version: row.version,
  };
}

/** The event of an operation on one appointment. */
export const appointmentEvent = (
  event: string,
  action: "C" | "R" | "U" | "D",
  { role }: Viewer,
  row: Pick<AppointmentRow, "id" | "hospitalId" | "patientId">,
) => ({
  event,
  action,
  role,
  hospitalId: row.hospitalId,
  entity: { type: "appointment", id: row.id },
  subjects: [row.patientId],
});
