// Enumerations of report, upload and device columns. In a file without imports, because the portal imports it.

export const REPORT_KINDS = ["ecg", "cpap", "bipap", "oxygen", "consultation", "other"] as const;
/** FHIR R4 DiagnosticReport.status. An upload starts `preliminary`. */
export const REPORT_STATUSES = [
  "registered",
  "partial",
  "preliminary",
  "final",
  "amended",
  "corrected",
  "appended",
  "cancelled",
  "entered-in-error",
  "unknown",
] as const;
/** What a person changes of a report after the upload. */
export const REPORT_CHANGES = ["corrected", "moved", "entered_in_error", "restored", "amended"] as const;
export const DEVICE_KINDS = ["ecg", "cpap", "bipap", "oxygen", "wearable", "bedside_monitor", "gateway"] as const;
/** What became of quarantined samples. */
export const HELD_STATES = ["held", "filed", "discarded"] as const;
/** Why a device's file is in quarantine. */
export const QUARANTINE_REASONS = [
  /** The device was assigned to nobody, or named a patient that is not its own. */
  "not_found",
  "not_pdf",
  "record_closed",
  /** Sent without a time by a device that has changed patients since it may have gone offline. */
  "binding_changed",
  /** Measured while the device was assigned to nobody. */
  "not_bound_then",
  /** The assignment at the time of measurement ended too long ago. */
  "binding_ended",
  "in_the_future",
  /** A time of measurement that cannot be read, or that a clock change of the hospital skips or repeats. */
  "time_unclear",
  /** The hospital has the same file as a report of another patient. */
  "same_file_elsewhere",
] as const;
/** Purposes of a consent: the codes of ABDM's consent artefact. */
export const CONSENT_PURPOSES = ["CAREMGT", "BTG", "PUBHLTH", "HPAYMT", "DSRCH", "PATRQT"] as const;
/** Kinds of data that a consent covers: reports by kind, and the rest of the record. */
export const CONSENT_KINDS = [
  ...REPORT_KINDS.map((kind) => `report:${kind}` as const),
  "observations",
  "documents",
  "medical_history",
  "encounters",
] as const;
/**
 * How far staff may open a record in an emergency: not at all, records of the own hospital that their role does not show, or also those
 * of other hospitals, which must allow it too.
 */
export const EMERGENCY_REACHES = ["none", "own_hospital", "any_hospital"] as const;
export const CONSENT_STATES = ["requested", "granted", "denied", "revoked", "expired"] as const;
/** What a guardian is to the person of a record. */
export const GUARDIAN_RELATIONSHIPS = ["parent", "legal_guardian", "attorney", "other"] as const;
/** Why somebody else decides: the person is not of age, or cannot decide. */
export const GUARDIAN_GROUNDS = ["minor", "cannot_decide"] as const;
/** `consented`, `denied` and `revoked` follow from the consent of the request. */
export const DOCUMENT_REQUEST_STATES = [
  "requested",
  "consented",
  "approved",
  "rejected",
  "fulfilled",
  "cancelled",
  "denied",
  "revoked",
  "expired",
] as const;
/** FHIR R4 DocumentReference.status. */
export const DOCUMENT_STATUSES = ["current", "superseded", "entered-in-error"] as const;
/** Media types of documents, found from their bytes. */
export const DOCUMENT_TYPES = [
  "application/pdf",
  "image/jpeg",
  "image/png",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "text/plain",
] as const;
/** What a privacy officer reviews: a patient's question about an access, or emergency access. */
export const PRIVACY_REVIEW_KINDS = ["question", "emergency", "guardianship"] as const;
export const PRIVACY_REVIEW_STATUSES = ["open", "closed"] as const;
/** `explained`: the access needed no justification, such as one that the patient did not recognise. */
export const PRIVACY_REVIEW_OUTCOMES = ["justified", "not_justified", "explained"] as const;
export const UPLOAD_OUTCOMES = [
  "stored",
  "duplicate",
  "replayed",
  "quarantined",
  "refused",
  "failed",
  "assigned",
  "discarded",
  "awaiting",
  "expired",
] as const;

/** How a person or a system is told something. `in_app` has no delivery: the notification itself is read in the portal. */
export const DELIVERY_CHANNELS = ["email", "push", "sms", "webhook"] as const;
/** Channels that a person chooses for each kind of notification. */
export const PERSON_CHANNELS = ["email", "push", "sms"] as const;
/**
 * `waiting` until it is due, `sending` under a lease. Final: `accepted` by the provider; `failed`; `unknown`, whether the provider has
 * it; `cancelled`, since there is nobody left to tell.
 */
export const DELIVERY_STATUSES = ["waiting", "sending", "accepted", "failed", "unknown", "cancelled"] as const;
/** `alarm` leaves at once at any hour, `security` at any hour; quiet hours hold `normal` back. */
export const NOTIFICATION_PRIORITIES = ["alarm", "security", "normal"] as const;
/** Languages of the portal and of messages. */
export const LANGUAGES = ["en", "hi"] as const;

/** `restricted`: approved, and locked until retention and holds allow the erasure. */
export const ERASURE_STATES = ["requested", "rejected", "restricted", "erasing", "erased"] as const;
export type ErasureState = (typeof ERASURE_STATES)[number];
/** Why the last run of an erasure failed: rows that are left refer to those to be deleted (`reference`), or something else. */
export const ERASURE_FAILURES = ["reference", "error"] as const;
export type ErasureFailure = (typeof ERASURE_FAILURES)[number];
/** Of sealing stored data again: `counting` what each key has, `sealing` what is not under the current key. */
export const RESEALING_PHASES = ["counting", "sealing", "done"] as const;

/** FHIR R4 Appointment.status, without those of several participants. */
export const APPOINTMENT_STATUSES = [
  "proposed",
  "booked",
  "arrived",
  "fulfilled",
  "cancelled",
  "noshow",
  "entered-in-error",
] as const;
export type AppointmentStatus = (typeof APPOINTMENT_STATUSES)[number];
/** Who made an appointment. `waiting_list`: the job that offers freed times. */
export const BOOKER_KINDS = ["patient", "guardian", "staff", "app", "waiting_list"] as const;
/** Whether patients book for themselves: not at all, as a request that staff confirm, or at once. */
export const SELF_BOOKING = ["off", "request", "direct"] as const;
/** Who may book within a schedule. */
export const SCHEDULE_BOOKERS = ["staff", "patients"] as const;
/** `leave` and `closed` take time away, of a practitioner and of a hospital; `extra` adds to the weekly windows. */
export const SCHEDULE_EXCEPTIONS = ["leave", "closed", "extra"] as const;
export const WAITING_STATES = ["waiting", "offered", "booked", "withdrawn", "expired"] as const;
export const QUEUE_STATES = ["waiting", "called", "in_room", "done", "left"] as const;
/** FHIR R4 Encounter.status; `onleave`: paused. */
export const ENCOUNTER_STATUSES = ["in-progress", "onleave", "finished", "cancelled", "entered-in-error"] as const;
export type EncounterStatus = (typeof ENCOUNTER_STATUSES)[number];
/** What a report's stored file is: an upload, or content that was written here. */
export const REPORT_CONTENT_TYPES = ["application/pdf", "application/json"] as const;
export const REPORT_VERSION_STATUSES = ["preliminary", "final", "amended"] as const;
export const INTAKE_SOURCES = ["link", "patient", "staff"] as const;
export const INTAKE_STATES = ["submitted", "taken", "rejected"] as const;
export const RECORD_EXPORT_FORMATS = ["json", "pdf", "zip"] as const;
export const RECORD_EXPORT_STATES = ["queued", "running", "ready", "failed", "expired"] as const;
/** Whose appointments a calendar address shows; `display`: the numbers of a waiting room. */
export const CALENDAR_KINDS = ["practitioner", "patient", "display"] as const;
/** Of a payment intent, as the provider names them. */
export const PAYMENT_STATUSES = ["requires_payment", "processing", "succeeded", "canceled", "failed"] as const;
/** How a merge treated a row: given to the other record, or copied there. */
export const MERGE_TREATMENTS = ["moved", "copied"] as const;
