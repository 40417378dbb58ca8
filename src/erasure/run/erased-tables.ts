// What an erasure deletes in D1, in the order of the foreign keys.
import { type SQL, sql } from "drizzle-orm";
import type { Keys } from "../../platform/config.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import type { Db, Statement } from "../../platform/db/client.ts";
import { DAY_MS, HOUR_MS } from "../../platform/time.ts";
import { countReport } from "../../reports/upload/new-report.ts";
import { isUidUsedElsewhere, list, namesShared, withoutPatient } from "./cleared-columns.ts";
import { giveBackFiles, giveBackHeld } from "./give-back.ts";
import type { Subject } from "./progress.ts";
import { byColumn, byNumbers, type Row, type Search } from "./search.ts";
import { settleUploads, UPLOAD_COLUMNS } from "./settle-uploads.ts";

/** The rows of one table that belong to a patient. */
export type ErasedTable = {
  table: string;
  /** The primary key. */
  key: readonly string[];
  where: (subject: Subject) => SQL;
  /** Columns with keys of files in R2, which are deleted before their row. */
  files?: readonly string[];
  /** More columns, for `alongside`. */
  columns?: readonly string[];
  /**
   * Statements that are committed before the files of these rows are deleted. They fail their batch (`isRoleChanged`) if the rows have
   * changed since they were read; the step is repeated then.
   */
  beforeFiles?: (db: Db, rows: readonly Row[], keys: Keys) => Promise<Statement[]>;
  /** Statements that the deletion of these rows needs; they run before it. */
  alongside?: (db: Db, rows: readonly Row[], subject: Subject) => Statement[];
  /** How rows are found without an index by patient; by default the condition has one. */
  search?: (subject: Subject) => Search;
  /** True while the rows must not be deleted yet. */
  mustWait?: (subject: Subject, now: number) => SQL;
};

const ofPatient = ({ patientId }: Subject): SQL => sql`patient_id = ${patientId}`;
const ofUsers = ({ users }: Subject): SQL => sql`user_id IN ${list(users)}`;
const ofOwnDevices = ({ ownDevices }: Subject): SQL => sql`device_id IN ${list(ownDevices)}`;
const table = (
  name: string,
  key: readonly string[],
  where: ErasedTable["where"],
  more: Partial<ErasedTable> = {},
): ErasedTable => ({
  table: name,
  key,
  where,
  ...more,
});
const ofReports = ({ patientId }: Subject): SQL => sql`report_id IN (SELECT id FROM reports WHERE patient_id = ${patientId})`;

const ofMerges = ({ patientId }: Subject): SQL =>
  sql`(SELECT id FROM patient_merges WHERE from_id = ${patientId} OR into_id = ${patientId})`;

/** Consents that open other records to the hospital of the patient's own. */
const ownConsents = ({ patientId }: Subject): SQL => sql`(SELECT id FROM consents WHERE patient_id = ${patientId})`;
const ofOwnConsents = (subject: Subject): SQL => sql`consent_id IN ${ownConsents(subject)}`;

/** What a device sent while it was assigned to the patient. @param received column of the time of receipt */
const sentByPatient = ({ patientId, ownDevices }: Subject, deviceId: SQL, received: SQL): SQL =>
  sql`(${deviceId} IN ${list(ownDevices)} OR EXISTS (SELECT 1 FROM device_assignments a WHERE a.patient_id = ${patientId}
    AND a.device_id = ${deviceId} AND a.started_at <= ${received} AND (a.ended_at IS NULL OR a.ended_at >= ${received})))`;

/** The actor of a device's upload is the credential. */
const uploadingDevice = sql`(SELECT c.device_id FROM credentials c WHERE c.id = uploads.actor_id)`;

/** Whether a column has one of the patient's ids. D1 refuses compound selects of more than five terms. */
const namesPatient = ({ patientId, users, ownDevices }: Subject, column: SQL): SQL =>
  sql`(${column} IN ${list([patientId, ...users, ...ownDevices])}
    OR ${column} IN (SELECT id FROM reports WHERE patient_id = ${patientId}
      UNION ALL SELECT id FROM documents WHERE patient_id = ${patientId} UNION ALL SELECT id FROM alerts WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM intake_responses WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM device_assignments WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM appointments WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM appointment_series WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM waiting_entries WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM encounters WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM intake_submissions WHERE patient_id = ${patientId}
      UNION ALL SELECT id FROM intake_links WHERE patient_id = ${patientId})
    OR ${column} IN (SELECT id FROM record_exports WHERE patient_id = ${patientId}))`;

/** The patient's ids as counters name them, with the prefix of the scope. */
const counterScopes = ({ patientId, users, ownDevices }: Subject): string[] => [
  COUNTER_SCOPES.patient(patientId),
  ...[`r:${patientId}`, ...users.map((id) => `u:${id}`), ...ownDevices.map((id) => `m:${id}`)].flatMap((id) => [
    `quota:${id}`,
    `quota-day:${id}`,
  ]),
];

const countAll = (db: Db, name: string, hospitalId: string | null, n: number): Statement[] =>
  n === 0
    ? []
    : [
        incrementCounters(
          db,
          [COUNTER_SCOPES.all, ...(hospitalId === null ? [] : [COUNTER_SCOPES.hospital(hospitalId)])].map((scope) => ({
            scope,
            day: 0,
            name,
            n: -n,
          })),
        ),
      ];

const REPORT_COLUMNS = ["kind", "status", "confidence", "created_at", "file_size", "metrics_size"] as const;

function countReports(db: Db, rows: readonly Row[], subject: Subject): Statement[] {
  const counters = rows.flatMap((row) =>
    countReport(
      {
        hospitalId: subject.hospitalId,
        patientId: subject.patientId,
        kind: String(row["kind"]) as Parameters<typeof countReport>[0]["kind"],
        status: String(row["status"]) as Parameters<typeof countReport>[0]["status"],
        confidence: row["confidence"] === null ? null : Number(row["confidence"]),
        createdAt: Number(row["created_at"]),
      },
      -1,
    ),
  );
  return [incrementCounters(db, counters), ...giveBackFiles(db, rows, ["file_size", "metrics_size"], subject)];
}

/** Samples are at most 30 days older than their receipt, and a clock may be ahead. */
const firstHour = ({ createdAt }: Subject) => Math.floor((createdAt - 62 * DAY_MS) / HOUR_MS);
const lastHour = ({ lockedAt }: Subject) => Math.floor((lockedAt + 2 * DAY_MS) / HOUR_MS);
const monthOfHour = (hour: number) => {
  const date = new Date(hour * HOUR_MS);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
};
/** A file that is being packed becomes stale or the month's own within an hour (monitoring/packed-hours). */
const PACKING_MS = HOUR_MS;

/**
 * Whether a file of the row was sealed again under another key and is not deleted yet, or one is being written
 * (service/keys/sealed-files.ts). Rows from before the column have no record.
 */
const hasReplacedFile = (id: SQL) => (): SQL => sql`EXISTS (SELECT 1 FROM replaced_files f WHERE f.record_id IN (${id}, ''))`;

const withoutIndex = (column: string) => (): Search => byColumn(column);

export const ERASED_TABLES: readonly ErasedTable[] = [
  table(
    "idempotency_keys",
    ["scope", "key_hash"],
    (s) => sql`(${namesPatient(s, sql`resource_id`)} OR substr(scope, 1, 36) IN ${list(s.users)})`,
    { search: withoutIndex("created_at") },
  ),
  table("notifications", ["user_id", "id"], (s) => sql`(refs->>'patient_id' = ${s.patientId} OR ${ofUsers(s)})`, {
    search: withoutIndex("id"),
  }),
  table("deliveries", ["id"], (s) => sql`(refs->>'patient_id' = ${s.patientId} OR ${ofUsers(s)})`, {
    search: withoutIndex("id"),
  }),
  table(
    "held_observations",
    ["id"],
    (s) =>
      sql`(filed_patient_id = ${s.patientId} OR (filed_patient_id IS NULL AND (substr(id, 1, 36) = ${s.patientId}
        OR ${sentByPatient(s, sql`held_observations.device_id`, sql`held_observations.received_at`)})))`,
    { search: withoutIndex("received_at"), alongside: giveBackHeld },
  ),
  table(
    "uploads",
    ["id"],
    (s) => sql`((patient_id = ${s.patientId} AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.id = uploads.report_id
        AND r.patient_id <> ${s.patientId})) OR ${ofReports(s)} OR (actor_id IN ${list(s.users)}
        AND coalesce(patient_id, ${s.patientId}) = ${s.patientId})
      OR (actor_kind = 'device' AND report_id IS NULL AND patient_id IS NULL AND ${sentByPatient(s, uploadingDevice, sql`uploads.created_at`)}))`,
    {
      search: withoutIndex("created_at"),
      files: ["file_key", "incoming_key"],
      columns: UPLOAD_COLUMNS,
      beforeFiles: settleUploads,
      mustWait: hasReplacedFile(sql`uploads.id`),
    },
  ),
  table(
    "consent_offers",
    ["id"],
    (s) =>
      sql`(${ofUsers(s)} OR ${ofOwnConsents(s)} OR EXISTS (SELECT 1 FROM json_each(patient_ids) WHERE value = ${s.patientId}))`,
    { search: withoutIndex("valid_until") },
  ),
  table(
    "consent_documents",
    ["consent_id", "document_id"],
    (s) => sql`(${ofOwnConsents(s)} OR document_id IN (SELECT id FROM documents WHERE patient_id = ${s.patientId}))`,
  ),
  table("document_requests", ["id"], ofPatient),
  // With its row here, so that no version that is kept in between names the record again.
  table("consent_records", ["consent_id", "patient_id"], (s) => sql`(${ofPatient(s)} OR ${ofOwnConsents(s)})`, {
    alongside: (db, _, s) => [db.run(sql`UPDATE consent_versions SET artefact = ${withoutPatient(s)} WHERE ${namesShared(s)}`)],
  }),
  table("consent_versions", ["consent_id", "version"], ofOwnConsents),
  table("consents", ["id"], ofPatient),
  table("privacy_reviews", ["id"], ofPatient),
  table("emergency_accesses", ["id"], (s) => sql`(${ofPatient(s)} OR own_patient_id = ${s.patientId})`, {
    search: withoutIndex("id"),
  }),
  table("notice_delays", ["patient_id"], ofPatient),
  table("calendar_feeds", ["id"], (s) => sql`(${ofPatient(s)} OR owner_user_id IN ${list(s.users)})`),
  table("queue_tokens", ["location_id", "day", "n"], ofPatient),
  table("encounter_notes", ["id"], (s) => sql`encounter_id IN (SELECT id FROM encounters WHERE patient_id = ${s.patientId})`),
  table("encounters", ["id"], ofPatient),
  table("waiting_entries", ["id"], ofPatient),
  table("appointments", ["id"], ofPatient),
  table("appointment_series", ["id"], ofPatient),
  table("intake_submissions", ["id"], ofPatient),
  table("intake_links", ["id"], ofPatient),
  table("record_exports", ["id"], ofPatient, { files: ["file_key"], mustWait: hasReplacedFile(sql`record_exports.id`) }),
  table("merge_rows", ["merge_id", "table_name", "row_key"], (s) => sql`merge_id IN ${ofMerges(s)}`),
  table("patient_merges", ["id"], (s) => sql`id IN ${ofMerges(s)}`),
  table("report_changes", ["id"], ofReports),
  table("report_drafts", ["report_id"], ofReports),
  table("report_versions", ["id"], ofReports, {
    files: ["content_key"],
    mustWait: hasReplacedFile(sql`report_versions.report_id`),
  }),
  table("reports", ["id"], ofPatient, {
    files: ["file_key", "metrics_key"],
    columns: REPORT_COLUMNS,
    alongside: countReports,
    mustWait: hasReplacedFile(sql`reports.id`),
  }),
  table("documents", ["id"], ofPatient, {
    files: ["file_key"],
    columns: ["file_size"],
    mustWait: hasReplacedFile(sql`documents.id`),
    alongside: (db, rows, s) => giveBackFiles(db, rows, ["file_size"], s),
  }),
  table("alert_events", ["alert_id", "n"], (s) => sql`alert_id IN (SELECT id FROM alerts WHERE patient_id = ${s.patientId})`),
  table("alerts", ["id"], ofPatient),
  table("vital_hours", ["hospital_id", "hour", "patient_id"], (s) => sql`hospital_id = ${s.hospitalId} AND ${ofPatient(s)}`, {
    search: (s) => byNumbers("hour", firstHour(s), lastHour(s)),
  }),
  table("vital_months", ["hospital_id", "month", "patient_id"], (s) => sql`hospital_id = ${s.hospitalId} AND ${ofPatient(s)}`, {
    files: ["file_key", "stale_key"],
    search: (s) => byNumbers("month", monthOfHour(firstHour(s)), monthOfHour(lastHour(s))),
    mustWait: (_, now) => sql`stale_key IS NOT NULL AND stale_at > ${now - PACKING_MS}`,
  }),
  table("alert_rules", ["scope_id", "code"], (s) => sql`scope = 'patient' AND scope_id = ${s.patientId}`),
  table("monitoring_settings", ["patient_id"], ofPatient),
  table("device_assignments", ["id"], ofPatient),
  table("device_claim_codes", ["code_hash"], ofOwnDevices),
  table("credentials", ["id"], ofOwnDevices),
  table("devices", ["id"], (s) => sql`owner_patient_id = ${s.patientId}`, {
    alongside: (db, rows) => countAll(db, "devices", null, rows.length),
  }),
  table("care_team", ["patient_id", "user_id"], ofPatient),
  table("intake_responses", ["id"], ofPatient),
  table("patient_changes", ["id"], ofPatient),
  table("patient_claim_codes", ["code_hash"], ofPatient),
  table("guardianships", ["id"], (s) => sql`(patient_id = ${s.patientId} OR guardian_id IN ${list(s.users)})`),
  table("patient_holds", ["id"], ofPatient),
  table("patient_tokens", ["hospital_id", "token", "patient_id"], ofPatient),
  table("patient_links", ["user_id", "patient_id"], ofPatient),
  table(
    "person_identifiers",
    ["key_id", "mac"],
    (s) => sql`(patient_uid = ${s.patientUid} OR patient_id = ${s.patientId})
      AND NOT ${isUidUsedElsewhere(s)}`,
  ),
  table("patients", ["id"], (s) => sql`id = ${s.patientId}`, {
    alongside: (db, rows, s) => [
      // Numbers that another record got between the steps: they lead to its person now.
      db.run(sql`UPDATE person_identifiers SET patient_id = NULL WHERE patient_id = ${s.patientId}`),
      ...countAll(db, "patients", s.hospitalId, rows.length),
    ],
  }),
  // What came after the search above; `users` is referred to.
  table("notifications", ["user_id", "id"], ofUsers),
  table("sessions", ["id"], ofUsers),
  table("password_resets", ["token_hash"], ofUsers),
  table("email_links", ["id"], ofUsers),
  table("login_attempts", ["subject", "id"], (s) => sql`substr(subject, 1, 36) IN ${list(s.users)}`),
  table("ceremonies", ["id"], ofUsers),
  table("guardian_codes", ["user_id"], ofUsers),
  table("phone_codes", ["user_id"], ofUsers),
  table("access_log_reads", ["user_id"], ofUsers),
  table("notification_settings", ["user_id"], ofUsers),
  table("notification_choices", ["user_id", "kind", "channel"], ofUsers),
  table("push_subscriptions", ["id"], ofUsers),
  table("totp_factors", ["user_id"], ofUsers),
  table("passkeys", ["id"], ofUsers),
  table("recovery_codes", ["user_id", "code_hash"], ofUsers),
  table("users", ["id"], (s) => sql`id IN ${list(s.users)}`, {
    alongside: (db, rows) => countAll(db, "users", null, rows.length),
  }),
  // The steps before give room back to counters of the patient.
  table(
    "counters",
    ["scope", "day", "name"],
    (s) => sql`(scope IN ${list(counterScopes(s))} OR (scope = 'parked' AND day = 0 AND name = ${s.patientId}))`,
  ),
  // Triggers of the steps before announce changes of the patient.
  table("outbox", ["id"], (s) => sql`id = ${`monitor:${s.patientId}`}`),
];
