// Limits of rows that callers could create without end, and the condition that enforces each in the statement that writes.
import { type SQL, sql } from "drizzle-orm";
import { ApiError } from "../errors.ts";
import { isConditionFailed } from "./client.ts";

/** `column` must be NOT NULL: at the limit it gets NULL, which fails the batch. `detail` tells the caller what to do. */
export type RowLimit = { max: number; column: string; detail: string };

/** Ended rows count, unless the name says otherwise: they use storage and the time of queries too. */
export const ROW_LIMITS = {
  hospitals: { max: 5_000, column: "hospitals.name", detail: "A deployment has at most 5,000 hospitals." },
  wards: { max: 500, column: "wards.name", detail: "A hospital has at most 500 wards; delete or rename an unused one." },
  members: {
    max: 20_000,
    column: "memberships.created_by",
    detail: "A hospital has at most 20,000 members, former ones included.",
  },
  recentInvitations: {
    max: 2_000,
    column: "invitations.created_by",
    detail: "A hospital has at most 2,000 invitations in 90 days; earlier ones are deleted.",
  },
  devices: {
    max: 10_000,
    column: "devices.created_by",
    detail: "A hospital has at most 10,000 devices, those of patients not counted; reactivate or rename one.",
  },
  currentOwnDevices: {
    max: 10,
    column: "devices.name",
    detail: "A record has at most 10 devices of its own; remove one first.",
  },
  ownDevices: {
    max: 100,
    column: "devices.kind",
    detail: "A record has at most 100 devices of its own, removed ones included; rename one.",
  },
  deviceCredentials: {
    max: 500,
    column: "credentials.created_by",
    detail: "A device has at most 500 credentials, ended ones included; register the device again.",
  },
  validDeviceCredentials: {
    max: 20,
    column: "credentials.scopes",
    detail: "A device has at most 20 valid credentials; revoke one first.",
  },
  apiKeys: {
    max: 2_000,
    column: "credentials.created_by",
    detail: "A hospital has at most 2,000 API keys, ended ones included.",
  },
  openConsentRequests: {
    max: 20,
    column: "consents.status",
    detail: "At most 20 requests of a hospital to one person wait for an answer.",
  },
  liveConsents: {
    max: 100,
    column: "consents.purpose",
    detail: "At most 100 consents for one record of a hospital hold at a time; revoke one first.",
  },
  openConsentOffers: {
    max: 10,
    column: "consent_offers.code_hash",
    detail: "At most 10 codes of a person wait for use; withdraw one first.",
  },
  recordGuardians: {
    max: 10,
    column: "guardianships.recorded_by",
    detail: "A record has at most 10 guardians, those to be confirmed included; end one first.",
  },
  guardianRecords: {
    max: 20,
    column: "guardianships.relationship",
    detail: "Somebody is guardian for at most 20 records; end one first.",
  },
  webhooks: {
    max: 20,
    column: "webhooks.created_by",
    detail: "A hospital has at most 20 webhooks; delete an unused one.",
  },
  deviceAssignments: {
    max: 5_000,
    column: "device_assignments.created_by",
    detail: "A device has at most 5,000 assignments, ended ones included; register the device again.",
  },
  recentPatientAssignments: {
    max: 100,
    column: "device_assignments.patient_id",
    detail: "A patient has at most 100 device assignments in seven days, current ones included.",
  },
  intakes: { max: 1_000, column: "intake_responses.authored_by", detail: "A patient has at most 1,000 intakes." },
  patientChanges: {
    max: 1_000,
    column: "patient_changes.changed_by",
    detail: "The history of a record has at most 1,000 changes of identity.",
  },
  currentCareTeam: { max: 200, column: "care_team.added_by", detail: "A care team has at most 200 members; remove one first." },
  patientLogins: { max: 100, column: "patient_links.verified_by", detail: "A record has at most 100 logins; unlink one first." },
  accountRecords: { max: 100, column: "patient_links.method", detail: "An account has at most 100 records." },
  reportChanges: { max: 200, column: "report_changes.changed_by", detail: "A report has at most 200 changes." },
  documentVersions: {
    max: 50,
    column: "documents.series_version",
    detail: "A document has at most 50 versions; upload a new one.",
  },
  privacyOfficers: {
    max: 20,
    column: "memberships.privacy_officer",
    detail: "A hospital has at most 20 privacy officers; remove one first.",
  },
  openQuestions: {
    max: 50,
    column: "privacy_reviews.opened_at",
    detail: "A record has at most 50 open questions; wait for an answer.",
  },
  questions: {
    max: 1_000,
    column: "privacy_reviews.opened_by",
    detail: "A record has at most 1,000 questions.",
  },
  erasureRequests: {
    max: 50,
    column: "erasures.requested_by",
    detail: "A record has at most 50 requests for erasure, rejected ones included.",
  },
  openRecordExports: {
    max: 3,
    column: "record_exports.requested_by",
    detail: "At most 3 exports of a record are made at a time; wait until one is ready.",
  },
  dailyRecordExports: {
    max: 20,
    column: "record_exports.language",
    detail: "A hospital has at most 20 exports of records in 24 hours; try again tomorrow.",
  },
  patientHolds: {
    max: 200,
    column: "patient_holds.set_by",
    detail: "A record has at most 200 legal holds, ended ones included.",
  },
  passkeys: { max: 20, column: "passkeys.transports", detail: "An account has at most 20 passkeys; remove one first." },
  locations: { max: 200, column: "locations.name", detail: "A hospital has at most 200 locations; rename an unused one." },
  scheduleExceptions: {
    max: 1_000,
    column: "schedule_exceptions.created_by",
    detail: "A calendar has at most 1,000 exceptions, those of the last 400 days included; delete one first.",
  },
  openAppointments: {
    max: 200,
    column: "appointments.patient_id",
    detail: "A patient has at most 200 appointments ahead; cancel one first.",
  },
  practitionerAppointments: {
    max: 5_000,
    column: "appointments.practitioner_id",
    detail: "A practitioner has at most 5,000 appointments ahead.",
  },
  openIntakeLinks: {
    max: 500,
    column: "intake_links.created_by",
    detail: "A hospital has at most 500 open intake links; revoke one first.",
  },
  openSubmissions: {
    max: 2_000,
    column: "intake_submissions.source",
    detail: "At most 2,000 intakes of a hospital wait for review.",
  },
  patientSubmissions: {
    max: 50,
    column: "intake_submissions.answers_sealed",
    detail: "At most 50 intakes of a record wait for review.",
  },
  alertComments: { max: 200, column: "alert_events.what", detail: "An alert has at most 200 comments." },
} as const satisfies Record<string, RowLimit>;

/**
 * `value` while fewer than the maximum of `rows` exist, else NULL for the limit's column.
 * @param rows table and condition: `devices WHERE hospital_id = …`
 */
export function unlessFull(value: SQL | string, { max }: RowLimit, rows: SQL): SQL {
  return sql`(SELECT ${value} WHERE (SELECT count(*) FROM (SELECT 1 FROM ${rows} LIMIT ${max})) < ${max})`;
}

/** limit_reached for a batch that failed on one of the limits; any other error unchanged. */
export function toLimitError(error: unknown, ...limits: readonly RowLimit[]): unknown {
  const reached = limits.find(({ column }) => isConditionFailed(error, column));
  return reached ? new ApiError("limit_reached", reached.detail) : error;
}
