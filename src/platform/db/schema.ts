// The D1 tables. Times are epoch milliseconds UTC, ids UUIDv7, *_sealed columns AES-256-GCM (crypto.ts).
import { sql } from "drizzle-orm";
import { blob, check, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import {
  APPOINTMENT_STATUSES,
  BOOKER_KINDS,
  CALENDAR_KINDS,
  CONSENT_PURPOSES,
  CONSENT_STATES,
  DELIVERY_CHANNELS,
  DELIVERY_STATUSES,
  DEVICE_KINDS,
  DOCUMENT_REQUEST_STATES,
  DOCUMENT_STATUSES,
  DOCUMENT_TYPES,
  EMERGENCY_REACHES,
  ENCOUNTER_STATUSES,
  ERASURE_FAILURES,
  ERASURE_STATES,
  GUARDIAN_GROUNDS,
  GUARDIAN_RELATIONSHIPS,
  HELD_STATES,
  INTAKE_SOURCES,
  INTAKE_STATES,
  LANGUAGES,
  MERGE_TREATMENTS,
  NOTIFICATION_PRIORITIES,
  PAYMENT_STATUSES,
  PERSON_CHANNELS,
  PRIVACY_REVIEW_KINDS,
  PRIVACY_REVIEW_OUTCOMES,
  PRIVACY_REVIEW_STATUSES,
  QUEUE_STATES,
  RECORD_EXPORT_FORMATS,
  RECORD_EXPORT_STATES,
  REPORT_CHANGES,
  REPORT_CONTENT_TYPES,
  REPORT_KINDS,
  REPORT_STATUSES,
  REPORT_VERSION_STATUSES,
  RESEALING_PHASES,
  SCHEDULE_BOOKERS,
  SCHEDULE_EXCEPTIONS,
  SELF_BOOKING,
  UPLOAD_OUTCOMES,
  WAITING_STATES,
} from "./vocabulary.ts";

export const ROLES = ["patient", "nurse", "doctor", "hospital_admin", "admin"] as const;
export const STAFF_ROLES = ["nurse", "doctor", "hospital_admin"] as const;

/** The hospital of self-registered patients; created by a migration. */
export const SELF_CARE_HOSPITAL_ID = "00000000-0000-7000-8000-000000000001";

/** Facts about the deployment: `sentinel` is a sealed constant that verifies the field keys. */
export const deployment = sqliteTable("deployment", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
});

/**
 * Progress of the job that seals stored data again after a rotation of FIELD_KEYS (service/keys): one row per store. `remaining` and
 * `counted` are JSON objects of numbers of values by key id.
 */
export const resealing = sqliteTable("resealing", {
  store: text("store").primaryKey(),
  /** The key that the run seals under: the current one when it began. */
  keyId: text("key_id").notNull(),
  /** When the job first saw this key as the current one. */
  keySince: integer("key_since").notNull(),
  phase: text("phase", { enum: RESEALING_PHASES }).notNull(),
  /** JSON: the primary key of the row that was read last; null at the beginning. */
  cursor: text("cursor"),
  phaseStartedAt: integer("phase_started_at").notNull(),
  /** The result of the last complete count; null before it. */
  remaining: text("remaining"),
  countedAt: integer("counted_at"),
  /** The count that is under way. */
  counted: text("counted").notNull(),
  /** Values that the last complete run of the phase `sealing` could not open. */
  unreadable: integer("unreadable").notNull(),
  /** The same of the run that is under way. */
  failed: integer("failed").notNull(),
});

/** Files in R2 that were sealed again into another file. They are deleted once no request can still read them. */
export const replacedFiles = sqliteTable(
  "replaced_files",
  {
    fileKey: text("file_key").primaryKey(),
    replacedAt: integer("replaced_at").notNull(),
    /** The report, document or upload that the file is of: while one is left, its patient's erasure waits. */
    recordId: text("record_id").notNull().default(""),
  },
  (t) => [index("replaced_files_time").on(t.replacedAt), index("replaced_files_record").on(t.recordId)],
);

export const hospitals = sqliteTable(
  "hospitals",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    active: integer("active").notNull().default(1),
    /** Which patients a doctor sees: those of their care teams, or of the whole hospital. */
    doctorScope: text("doctor_scope", { enum: ["care_team", "hospital"] })
      .notNull()
      .default("care_team"),
    emergencyReach: text("emergency_reach", { enum: EMERGENCY_REACHES }).notNull().default("own_hospital"),
    /** IANA time zone, e.g. `Asia/Kolkata`; defines the hospital's calendar day. */
    timeZone: text("time_zone").notNull().default("UTC"),
    /** ISO 3166-1 alpha-2: where phone numbers without a country's code belong. */
    country: text("country"),
    /** The patient number up to which search tokens were made again; null when all are current (patients/reindex.ts). */
    searchReindexAfter: integer("search_reindex_after"),
    /** Public contact details of the organization; no personal data. */
    phone: text("phone"),
    email: text("email"),
    address: text("address"),
    demo: integer("demo").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("hospitals_created").on(t.createdAt),
    index("hospitals_demo").on(t.demo).where(sql`demo = 1`),
    index("hospitals_reindex").on(t.updatedAt).where(sql`search_reindex_after is not null`),
  ],
);

export const wards = sqliteTable(
  "wards",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    name: text("name").notNull(),
    active: integer("active").notNull().default(1),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
    /** How its patients are watched: vitals/freshness.ts. */
    observationMode: text("observation_mode", { enum: ["auto", "continuous", "spot"] })
      .notNull()
      .default("auto"),
    observationGraceMinutes: integer("observation_grace_minutes").notNull().default(15),
    /** Whether an overdue set of observations raises an alert: alarm-rules/rounds-rule.ts. */
    overdueAlarm: integer("overdue_alarm").notNull().default(0),
    /** When NEWS2 alarms sound, with who chose it, when and why: alarm-rules/sustained-profile.ts. */
    news2Profile: text("news2_profile", { enum: ["rcp", "sustained"] })
      .notNull()
      .default("rcp"),
    news2ProfileReasonSealed: text("news2_profile_reason_sealed"),
    news2ProfileBy: text("news2_profile_by"),
    news2ProfileAt: integer("news2_profile_at"),
    /** Whether the trend mark is shown, with who chose it, when and why: alarm-rules/trend-mark.ts. */
    trendMark: integer("trend_mark").notNull().default(0),
    trendMarkReasonSealed: text("trend_mark_reason_sealed"),
    trendMarkBy: text("trend_mark_by"),
    trendMarkAt: integer("trend_mark_at"),
  },
  (t) => [
    uniqueIndex("wards_name").on(t.hospitalId, t.name),
    index("wards_hospital").on(t.hospitalId, t.createdAt),
    index("wards_created").on(t.createdAt),
  ],
);

/** User accounts. E-mail, user name and full name are sealed; the indexes are keyed HMACs of their normal forms. */
export const users = sqliteTable(
  "users",
  {
    id: text("id").primaryKey(),
    emailIndex: text("email_index").notNull(),
    usernameIndex: text("username_index"),
    profileSealed: text("profile_sealed").notNull(),
    passwordHash: text("password_hash").notNull(),
    passwordChangedAt: integer("password_changed_at").notNull(),
    /** 1 while the password is one that another person set and may still know. */
    passwordGiven: integer("password_given").notNull().default(0),
    /** When a link that was sent to the e-mail address was opened; nothing else is sent to it before. */
    emailVerifiedAt: integer("email_verified_at"),
    isAdmin: integer("is_admin").notNull().default(0),
    active: integer("active").notNull().default(1),
    demo: integer("demo").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("users_email").on(t.emailIndex),
    uniqueIndex("users_username").on(t.usernameIndex),
    index("users_created").on(t.createdAt),
    index("users_admin").on(t.isAdmin).where(sql`is_admin = 1`),
    index("users_demo").on(t.demo).where(sql`demo = 1`),
  ],
);

/** Staff roles. A role is always held at a hospital. */
export const memberships = sqliteTable(
  "memberships",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    role: text("role", { enum: STAFF_ROLES }).notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
    /** Suspended at this hospital only; the account and its other memberships are unchanged. */
    suspendedAt: integer("suspended_at"),
    /** Reviews emergency access and patients' questions (src/privacy). Ends with the membership. */
    privacyOfficer: integer("privacy_officer").notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.hospitalId] }),
    index("memberships_hospital").on(t.hospitalId),
    index("memberships_privacy_officer").on(t.hospitalId).where(sql`privacy_officer = 1`),
  ],
);

/** Invitations of future staff, handed over as a link. Stores only the HMAC of the token. */
export const invitations = sqliteTable(
  "invitations",
  {
    id: text("id").primaryKey(),
    tokenHash: text("token_hash").notNull(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    role: text("role", { enum: STAFF_ROLES }).notNull(),
    emailIndex: text("email_index").notNull(),
    /** E-mail and full name, as entered by the inviting person. */
    inviteeSealed: text("invitee_sealed").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    acceptedAt: integer("accepted_at"),
    acceptedBy: text("accepted_by"),
    revokedAt: integer("revoked_at"),
  },
  (t) => [
    uniqueIndex("invitations_token").on(t.tokenHash),
    index("invitations_hospital").on(t.hospitalId, t.createdAt),
    index("invitations_created").on(t.createdAt),
  ],
);

/** Single-use password reset links, issued by a user who manages the account. */
export const passwordResets = sqliteTable(
  "password_resets",
  {
    tokenHash: text("token_hash").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
  },
  (t) => [index("password_resets_user").on(t.userId), index("password_resets_expiry").on(t.expiresAt)],
);

/** FHIR Practitioner at one hospital: the profile that patients and colleagues see. */
export const practitioners = sqliteTable(
  "practitioners",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    specialty: text("specialty"),
    /** Qualifications, registration number, languages, phone, about. */
    detailsSealed: text("details_sealed").notNull(),
    active: integer("active").notNull().default(1),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("practitioners_user").on(t.userId, t.hospitalId),
    index("practitioners_hospital").on(t.hospitalId, t.createdAt),
    index("practitioners_created").on(t.createdAt),
    index("practitioners_specialty").on(t.hospitalId, t.specialty, t.createdAt).where(sql`specialty is not null`),
  ],
);

export const sessions = sqliteTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** The acting hospital; null for patients and platform administrators. */
    hospitalId: text("hospital_id"),
    /** The valid refresh token is HMAC(REFRESH_KEY, id, generation); the token itself is not stored. */
    generation: integer("generation").notNull().default(1),
    /** Successors of the previous token that were replaced unused; it has the generation before them. */
    lostSuccessors: integer("lost_successors").notNull().default(0),
    rotatedAt: integer("rotated_at").notNull(),
    createdAt: integer("created_at").notNull(),
    idleExpiresAt: integer("idle_expires_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    revokedAt: integer("revoked_at"),
    revokedReason: text("revoked_reason"),
    clientSealed: text("client_sealed").notNull(),
    /** When the person last proved who they are in this session; null: when it was created. */
    authenticatedAt: integer("authenticated_at"),
    /** Methods of that proof as in RFC 8176, separated by spaces: `pwd`, `pwd otp mfa`, `hwk user mfa`. */
    amr: text("amr").notNull().default("pwd"),
  },
  (t) => [index("sessions_user").on(t.userId, t.createdAt)],
);

/** One row per password attempt that holds or has used one of the five slots (passwords/lockout.ts). */
export const loginAttempts = sqliteTable(
  "login_attempts",
  {
    /** User id, or HMAC(name) for an unknown name; with `:<browser id>` for a browser in which the name has logged in. */
    subject: text("subject").notNull(),
    id: text("id").notNull(),
    state: text("state", { enum: ["pending", "failed"] }).notNull(),
    expiresAt: integer("expires_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.subject, t.id] }), index("login_attempts_expiry").on(t.expiresAt)],
);

export const patients = sqliteTable(
  "patients",
  {
    id: text("id").primaryKey(),
    patientNumber: integer("patient_number").notNull(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    wardId: text("ward_id").references(() => wards.id),
    monitoring: text("monitoring", { enum: ["off", "home", "ward"] })
      .notNull()
      .default("off"),
    /** Random public identifier of the person across hospitals. */
    patientUid: text("patient_uid"),
    /** Who confirmed that the number behind `patient_uid` is this person's: staff who saw a document, or the person. */
    uidBasis: text("uid_basis", { enum: ["staff", "self"] }),
    /** Names, phone, e-mail, address, birth date, gender. */
    identitySealed: text("identity_sealed").notNull(),
    /** Medical history, notes, symptoms. */
    clinicalSealed: text("clinical_sealed").notNull(),
    assignedDoctorId: text("assigned_doctor_id").references(() => users.id),
    active: integer("active").notNull().default(1),
    /** Since when the record is locked because it will be erased (erasure/decide-erasure.ts); null: it is not. */
    restrictedAt: integer("restricted_at"),
    mergedInto: text("merged_into"),
    demo: integer("demo").notNull().default(0),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("patients_number").on(t.patientNumber),
    index("patients_hospital_number").on(t.hospitalId, t.patientNumber),
    index("patients_hospital_updated").on(t.hospitalId, t.updatedAt),
    index("patients_updated").on(t.updatedAt),
    index("patients_hospital_created").on(t.hospitalId, t.createdAt),
    index("patients_created").on(t.createdAt),
    index("patients_doctor").on(t.assignedDoctorId, t.patientNumber).where(sql`assigned_doctor_id is not null`),
    index("patients_inactive").on(t.hospitalId, t.patientNumber).where(sql`active = 0`),
    index("patients_inactive_number").on(t.patientNumber).where(sql`active = 0`),
    index("patients_monitoring").on(t.monitoring, t.hospitalId, t.patientNumber).where(sql`monitoring <> 'off'`),
    index("patients_ward").on(t.wardId).where(sql`ward_id is not null`),
    index("patients_uid").on(t.patientUid).where(sql`patient_uid is not null`),
    index("patients_restricted").on(t.hospitalId, t.id).where(sql`restricted_at is not null`),
    index("patients_demo").on(t.demo).where(sql`demo = 1`),
    index("patients_merged").on(t.mergedInto).where(sql`merged_into is not null`),
  ],
);

/** What a person must know of a record beside its claim code. */
export const CLAIM_PROOFS = ["date_of_birth", "phone"] as const;

/** Links a login to the records it owns. Created by a claim code or by self-registration, never by matching names. */
export const patientLinks = sqliteTable(
  "patient_links",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    method: text("method", { enum: ["claim_code", "self_registration"] }).notNull(),
    verifiedBy: text("verified_by").notNull(),
    createdAt: integer("created_at").notNull(),
    /** What was asked beside the claim code; null for self-registration, and for claims before it was asked. */
    proof: text("proof", { enum: CLAIM_PROOFS }),
  },
  (t) => [primaryKey({ columns: [t.userId, t.patientId] }), index("patient_links_patient").on(t.patientId)],
);

export const patientClaimCodes = sqliteTable(
  "patient_claim_codes",
  {
    codeHash: text("code_hash").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
    usedBy: text("used_by"),
    /** MACs of what the record said when the code was issued; a code without both opens nothing. */
    birthDateMac: text("birth_date_mac"),
    phoneMac: text("phone_mac"),
    /** Attempts with the code and a wrong birth date or phone number; five end the code. */
    failedAttempts: integer("failed_attempts").notNull().default(0),
    lastFailedAt: integer("last_failed_at"),
    /** Replaced by another code, or ended because the birth date or phone number was changed. */
    endedAt: integer("ended_at"),
    proof: text("proof", { enum: CLAIM_PROOFS }),
  },
  (t) => [index("patient_claim_codes_expiry").on(t.expiresAt), index("patient_claim_codes_patient").on(t.patientId)],
);

/** Changes of a patient's identity and of the state of the record: which field, the value before and after, and the reason, sealed. */
export const patientChanges = sqliteTable(
  "patient_changes",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    changedBy: text("changed_by").notNull(),
    changedByKind: text("changed_by_kind", { enum: ["user", "app"] }).notNull(),
    changedAt: integer("changed_at").notNull(),
    changeSealed: text("change_sealed").notNull(),
  },
  (t) => [index("patient_changes_patient").on(t.patientId, t.changedAt)],
);

/** FHIR QuestionnaireResponse: intake questions and answers, each response stored unchanged. */
export const intakeResponses = sqliteTable(
  "intake_responses",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    answersSealed: text("answers_sealed").notNull(),
    authoredBy: text("authored_by").notNull(),
    authoredAt: integer("authored_at").notNull(),
  },
  (t) => [index("intake_responses_patient").on(t.patientId, t.authoredAt)],
);

/**
 * Maps an Aadhaar or ABHA number to a person, by HMAC. Only patients/identity/person.ts reads it; of an Aadhaar number nothing else is
 * stored than its last digits. `key_id` names the version of the key, or the index key for ABHA numbers.
 */
export const personIdentifiers = sqliteTable(
  "person_identifiers",
  {
    keyId: text("key_id").notNull(),
    mac: text("mac").notNull(),
    patientUid: text("patient_uid").notNull(),
    /** The record that gave the number this person; null for rows from before this column. */
    patientId: text("patient_id"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.keyId, t.mac] }),
    index("person_identifiers_uid").on(t.patientUid),
    index("person_identifiers_patient").on(t.patientId).where(sql`patient_id is not null`),
  ],
);

/** Blind-index tokens for search: HMAC(hospital, kind, prefix), 8 bytes. A database dump does not reveal names. */
export const patientTokens = sqliteTable(
  "patient_tokens",
  {
    hospitalId: text("hospital_id").notNull(),
    token: text("token").notNull(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
  },
  (t) => [primaryKey({ columns: [t.hospitalId, t.token, t.patientId] }), index("patient_tokens_patient").on(t.patientId)],
);

export const careTeam = sqliteTable(
  "care_team",
  {
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    addedBy: text("added_by").notNull(),
    startedAt: integer("started_at").notNull(),
    endedAt: integer("ended_at"),
  },
  (t) => [primaryKey({ columns: [t.patientId, t.userId] }), index("care_team_user").on(t.userId, t.patientId)],
);

export const devices = sqliteTable(
  "devices",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    kind: text("kind", { enum: DEVICE_KINDS }).notNull(),
    name: text("name").notNull(),
    manufacturer: text("manufacturer"),
    model: text("model"),
    serialNumber: text("serial_number"),
    active: integer("active").notNull().default(1),
    /** Estimated device clock minus server clock; null while unknown. */
    clockSkewMs: integer("clock_skew_ms"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
    /** The patient who registered it as their own; null for a device of the hospital. */
    ownerPatientId: text("owner_patient_id").references(() => patients.id),
    /** When a person last sent samples of it (intake/ingest.ts); what it sends itself is in `credentials`. */
    lastSyncedAt: integer("last_synced_at"),
  },
  (t) => [
    index("devices_hospital_created").on(t.hospitalId, t.createdAt),
    index("devices_created").on(t.createdAt),
    // Patients see no devices of others, so a serial number must not tell of them.
    uniqueIndex("devices_serial")
      .on(t.hospitalId, t.serialNumber)
      .where(sql`serial_number is not null and owner_patient_id is null`),
    // For the filter of lists, which also finds patients' own devices.
    index("devices_serial_number").on(t.hospitalId, t.serialNumber).where(sql`serial_number is not null`),
    index("devices_of_hospital").on(t.hospitalId).where(sql`owner_patient_id is null`),
    index("devices_owner").on(t.ownerPatientId).where(sql`owner_patient_id is not null`),
  ],
);

/** Assignments of devices to patients. The open row (ended_at null) is the current one. */
export const deviceAssignments = sqliteTable(
  "device_assignments",
  {
    id: text("id").primaryKey(),
    deviceId: text("device_id")
      .notNull()
      .references(() => devices.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    startedAt: integer("started_at").notNull(),
    endedAt: integer("ended_at"),
    createdBy: text("created_by").notNull(),
  },
  (t) => [
    uniqueIndex("device_assignments_open").on(t.deviceId).where(sql`ended_at is null`),
    index("device_assignments_device").on(t.deviceId, t.startedAt),
    index("device_assignments_patient").on(t.patientId),
  ],
);

/** Single-use codes that a device exchanges for a credential. */
export const deviceClaimCodes = sqliteTable(
  "device_claim_codes",
  {
    codeHash: text("code_hash").primaryKey(),
    deviceId: text("device_id")
      .notNull()
      .references(() => devices.id),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
  },
  (t) => [index("device_claim_codes_device").on(t.deviceId), index("device_claim_codes_expiry").on(t.expiresAt)],
);

/** Alarm limits of a ward or a patient; they override the defaults of the age band. */
export const alertRules = sqliteTable(
  "alert_rules",
  {
    /** Id of a ward or a patient. */
    scopeId: text("scope_id").notNull(),
    scope: text("scope", { enum: ["ward", "patient"] }).notNull(),
    /** LOINC code. */
    code: text("code").notNull(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    /** JSON of the limits that differ (vitals/model.ts). */
    limits: text("limits").notNull(),
    version: integer("version").notNull().default(1),
    updatedBy: text("updated_by").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.scopeId, t.code] }), index("alert_rules_hospital").on(t.hospitalId, t.scope)],
);

/** Patient settings for the alarm rules, besides age and limits. */
export const monitoringSettings = sqliteTable("monitoring_settings", {
  patientId: text("patient_id")
    .primaryKey()
    .references(() => patients.id),
  /** NEWS2 SpO2 scale 2: hypercapnic respiratory failure, confirmed by a clinician. */
  spo2Scale: integer("spo2_scale").notNull().default(1),
  pregnant: integer("pregnant").notNull().default(0),
  /** Null: as the ward. */
  observationMode: text("observation_mode", { enum: ["auto", "continuous", "spot"] }),
  version: integer("version").notNull().default(1),
  updatedBy: text("updated_by").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** FHIR DetectedIssue: alerts as last reported by the patient's object. The object is authoritative; these rows are copies. */
export const alerts = sqliteTable(
  "alerts",
  {
    /** Derived from patient and number: alerts/ids.ts. */
    id: text("id").primaryKey(),
    patientId: text("patient_id").notNull(),
    hospitalId: text("hospital_id").notNull(),
    wardId: text("ward_id"),
    rule: text("rule").notNull(),
    code: text("code"),
    deviceId: text("device_id"),
    priority: text("priority", { enum: ["high", "medium", "low"] }).notNull(),
    state: text("state", { enum: ["active", "acknowledged", "recovered", "cleared"] }).notNull(),
    /** JSON: value, bound, side, window, text. */
    why: text("why").notNull(),
    raisedAt: integer("raised_at").notNull(),
    acknowledgedAt: integer("acknowledged_at"),
    acknowledgedBy: text("acknowledged_by"),
    assignedTo: text("assigned_to"),
    tier: integer("tier").notNull().default(0),
    snoozedUntil: integer("snoozed_until"),
    /** When the next escalation is due; null without one, and of alerts that last changed before this column existed. */
    escalatesAt: integer("escalates_at"),
    /** 0: shown and ranked, but without a sound. */
    sounds: integer("sounds").notNull().default(1),
    recoveredAt: integer("recovered_at"),
    clearedAt: integer("cleared_at"),
    updatedAt: integer("updated_at").notNull(),
    /** State version in the object: a row never returns to an older state. */
    version: integer("version").notNull(),
  },
  (t) => [
    index("alerts_raised").on(t.raisedAt),
    index("alerts_hospital").on(t.hospitalId, t.raisedAt),
    index("alerts_patient").on(t.patientId, t.raisedAt),
    index("alerts_open").on(t.hospitalId, t.raisedAt).where(sql`state <> 'cleared'`),
    index("alerts_open_raised").on(t.raisedAt).where(sql`state <> 'cleared'`),
    // One per filter of the list: a filter that matches nothing must not read the hospital's alerts of all years.
    index("alerts_priority").on(t.hospitalId, t.priority, t.raisedAt),
    index("alerts_rule").on(t.hospitalId, t.rule, t.raisedAt),
    index("alerts_code").on(t.hospitalId, t.code, t.raisedAt),
    index("alerts_ward").on(t.wardId, t.raisedAt).where(sql`ward_id is not null`),
    index("alerts_device").on(t.deviceId, t.raisedAt).where(sql`device_id is not null`),
    index("alerts_assigned").on(t.assignedTo, t.raisedAt).where(sql`assigned_to is not null`),
  ],
);

/** Every state change and comment of an alert, in order. */
export const alertEvents = sqliteTable(
  "alert_events",
  {
    alertId: text("alert_id").notNull(),
    n: integer("n").notNull(),
    what: text("what").notNull(),
    at: integer("at").notNull(),
    by: text("by"),
    detail: text("detail"),
    commentSealed: text("comment_sealed"),
  },
  (t) => [primaryKey({ columns: [t.alertId, t.n] })],
);

/** One row per patient and closed hour: JSON of LOINC code to [n, min, max, sum, last, milliseconds of the hour at last]. */
export const vitalHours = sqliteTable(
  "vital_hours",
  {
    hospitalId: text("hospital_id").notNull(),
    /** Epoch hours. */
    hour: integer("hour").notNull(),
    patientId: text("patient_id").notNull(),
    stats: text("stats").notNull(),
    /** Number of writes: late samples correct the row. */
    version: integer("version").notNull(),
  },
  (t) => [primaryKey({ columns: [t.hospitalId, t.hour, t.patientId] })],
);

/** One row per patient and month (UTC) with packed hours: the file in R2 that has them, and their daily values. */
export const vitalMonths = sqliteTable(
  "vital_months",
  {
    hospitalId: text("hospital_id").notNull(),
    /** Months since January 1970. */
    month: integer("month").notNull(),
    patientId: text("patient_id").notNull(),
    /** Null until the first file is complete. */
    fileKey: text("file_key"),
    /** Bytes of the file before sealing. */
    fileSize: integer("file_size").notNull().default(0),
    /** Daily values (monitoring/packed-hours/daily-values.ts). */
    days: blob("days"),
    /** A file that may exist and is not the row's: one that is being written, or the one before. The job deletes it. */
    staleKey: text("stale_key"),
    /** When `stale_key` was set. */
    staleAt: integer("stale_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.hospitalId, t.month, t.patientId] }),
    index("vital_months_stale").on(t.staleAt).where(sql`stale_key is not null`),
  ],
);

/** Samples without a known patient or unit: one row per request, sealed. */
export const heldObservations = sqliteTable(
  "held_observations",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id").notNull(),
    deviceId: text("device_id").notNull(),
    reason: text("reason").notNull(),
    count: integer("count").notNull(),
    itemsSealed: text("items_sealed").notNull(),
    receivedAt: integer("received_at").notNull(),
    state: text("state", { enum: HELD_STATES }).notNull().default("held"),
    /** Whose record gets or got the samples; set before they are stored there, so that nobody else files or discards them. */
    filedPatientId: text("filed_patient_id"),
    /** One per request that files or discards; the note is sealed for it. */
    resolutionId: text("resolution_id"),
    noteSealed: text("note_sealed"),
    resolvedBy: text("resolved_by"),
    resolvedAt: integer("resolved_at"),
  },
  (t) => [
    index("held_observations_hospital").on(t.hospitalId, t.receivedAt),
    index("held_observations_state").on(t.hospitalId, t.state, t.receivedAt),
    index("held_observations_device").on(t.deviceId, t.state, t.receivedAt),
    index("held_observations_resolution").on(t.resolutionId).where(sql`resolution_id is not null`),
    index("held_observations_received").on(t.receivedAt),
  ],
);

/** Credentials of devices and apps; stores only the SHA-256 of the secret. */
export const credentials = sqliteTable(
  "credentials",
  {
    id: text("id").primaryKey(),
    kind: text("kind", { enum: ["device", "app"] }).notNull(),
    deviceId: text("device_id").references(() => devices.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    name: text("name").notNull(),
    secretHash: text("secret_hash").notNull(),
    scopes: text("scopes").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
    lastUsedAt: integer("last_used_at"),
    revokedAt: integer("revoked_at"),
  },
  (t) => [
    index("credentials_device").on(t.deviceId),
    index("credentials_hospital").on(t.hospitalId),
    index("credentials_app").on(t.hospitalId, t.createdAt).where(sql`kind = 'app'`),
    index("credentials_app_created").on(t.createdAt).where(sql`kind = 'app'`),
  ],
);

/** FHIR DiagnosticReport: a file in R2 and the columns that lists filter by. File name and metrics are sealed. */
export const reports = sqliteTable(
  "reports",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    kind: text("kind", { enum: REPORT_KINDS }).notNull(),
    status: text("status", { enum: REPORT_STATUSES }).notNull(),
    uploadedByKind: text("uploaded_by_kind", { enum: ["user", "device", "app"] }).notNull(),
    uploadedBy: text("uploaded_by").notNull(),
    encounterId: text("encounter_id"),
    sessionType: text("session_type"),
    /** 0 to 1. */
    confidence: real("confidence"),
    /** Beats per minute, copied from the metrics so that lists can filter. */
    heartRate: real("heart_rate"),
    effectiveAt: integer("effective_at").notNull(),
    fileKey: text("file_key").notNull(),
    fileNameSealed: text("file_name_sealed").notNull(),
    /** Bytes of the plaintext. */
    fileSize: integer("file_size").notNull(),
    sha256: text("sha256").notNull(),
    metricsKey: text("metrics_key"),
    /** Bytes of the plaintext JSON. */
    metricsSize: integer("metrics_size"),
    commentSealed: text("comment_sealed"),
    /** Signed links from before this time (Unix ms) are no longer valid: the report was moved then. */
    linksFrom: integer("links_from"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
    /** Of the file: a PDF that was uploaded, or JSON of a report that was written here (reports/written). */
    contentType: text("content_type", { enum: REPORT_CONTENT_TYPES }).notNull().default("application/pdf"),
    /** The doctor whose signature the report waits for. */
    signerId: text("signer_id"),
    /** The newest signed version in `report_versions`; null while none is signed. */
    signedVersion: integer("signed_version"),
  },
  (t) => [
    uniqueIndex("reports_same_file").on(t.sha256, t.patientId),
    index("reports_created").on(t.createdAt),
    index("reports_kind").on(t.kind, t.createdAt),
    index("reports_status").on(t.status, t.createdAt),
    index("reports_patient").on(t.patientId, t.createdAt),
    index("reports_hospital").on(t.hospitalId, t.createdAt),
    index("reports_hospital_kind").on(t.hospitalId, t.kind, t.createdAt),
    index("reports_hospital_status").on(t.hospitalId, t.status, t.createdAt),
    index("reports_hospital_rate").on(t.hospitalId, t.heartRate).where(sql`heart_rate is not null`),
    index("reports_session").on(t.sessionType, t.hospitalId, t.createdAt).where(sql`session_type is not null`),
    index("reports_hospital_effective").on(t.hospitalId, t.effectiveAt),
    index("reports_effective").on(t.effectiveAt),
    index("reports_uploader").on(t.uploadedBy, t.createdAt),
    index("reports_rate").on(t.heartRate).where(sql`heart_rate is not null`),
    index("reports_encounter").on(t.encounterId).where(sql`encounter_id is not null`),
    uniqueIndex("reports_file_key").on(t.fileKey),
    uniqueIndex("reports_metrics_key").on(t.metricsKey).where(sql`metrics_key is not null`),
    index("reports_to_sign")
      .on(t.signerId, t.createdAt)
      .where(sql`signer_id is not null and status in ('registered', 'preliminary')`),
  ],
);

/** Documents of patients (FHIR DocumentReference). Each version is a row; those of one document have the same series. */
export const documents = sqliteTable(
  "documents",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    /** The id of the first version. */
    seriesId: text("series_id").notNull(),
    /** From 1. */
    seriesVersion: integer("series_version").notNull(),
    status: text("status", { enum: DOCUMENT_STATUSES }).notNull(),
    /** LOINC. */
    typeCode: text("type_code").notNull(),
    /** The time that the document is about, Unix ms. */
    dateAt: integer("date_at").notNull(),
    titleSealed: text("title_sealed").notNull(),
    authorSealed: text("author_sealed"),
    fileKey: text("file_key").notNull(),
    fileNameSealed: text("file_name_sealed").notNull(),
    /** Of the bytes, not of the name. */
    contentType: text("content_type", { enum: DOCUMENT_TYPES }).notNull(),
    /** Bytes of the plaintext. */
    fileSize: integer("file_size").notNull(),
    sha256: text("sha256").notNull(),
    uploadedByKind: text("uploaded_by_kind", { enum: ["user", "device", "app"] }).notNull(),
    uploadedBy: text("uploaded_by").notNull(),
    /** Why it was marked as entered in error. */
    reasonSealed: text("reason_sealed"),
    endedBy: text("ended_by"),
    endedAt: integer("ended_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("documents_series").on(t.seriesId, t.seriesVersion),
    uniqueIndex("documents_file_key").on(t.fileKey),
    index("documents_same_file").on(t.sha256, t.patientId),
    index("documents_patient").on(t.patientId, t.createdAt),
    index("documents_patient_date").on(t.patientId, t.dateAt),
    index("documents_hospital").on(t.hospitalId, t.createdAt),
    index("documents_created").on(t.createdAt),
  ],
);

/**
 * Consents of persons to share records with a hospital (ABDM's consent artefact). `patientId` is the hospital's own record of the
 * person; the shared records are in `consent_records`. A consent is `expired` from its time on, before cron has written it.
 */
export const consents = sqliteTable(
  "consents",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    status: text("status", { enum: CONSENT_STATES }).notNull(),
    purpose: text("purpose", { enum: CONSENT_PURPOSES }).notNull(),
    /** CONSENT_KINDS, separated by spaces. */
    kinds: text("kinds").notNull(),
    /** The times that the data are from, Unix ms, both included. */
    dataFrom: integer("data_from").notNull(),
    dataUntil: integer("data_until").notNull(),
    /** Until when an unanswered request can be answered. */
    answerUntil: integer("answer_until").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** When what was copied under the consent is erased. */
    eraseAt: integer("erase_at").notNull(),
    reasonSealed: text("reason_sealed"),
    /** Set: this member of the hospital alone may read, while they practise there. */
    practitionerId: text("practitioner_id").references(() => practitioners.id),
    /** 1: opens the documents in `consent_documents` alone, as the consent of a document request does. */
    documentsOnly: integer("documents_only").notNull().default(0),
    /** Null: shared by the person without a request. */
    requestedBy: text("requested_by").references(() => users.id),
    decidedBy: text("decided_by").references(() => users.id),
    decidedAt: integer("decided_at"),
    endedAt: integer("ended_at"),
    /** When cron erased the reason and the list of shared records, after `eraseAt`. */
    erasedAt: integer("erased_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("consents_hospital").on(t.hospitalId, t.createdAt),
    index("consents_patient").on(t.patientId, t.createdAt),
    index("consents_unanswered").on(t.answerUntil).where(sql`status = 'requested'`),
    index("consents_granted").on(t.expiresAt).where(sql`status = 'granted'`),
    index("consents_unerased").on(t.eraseAt).where(sql`erased_at IS NULL`),
  ],
);

/** The records that a granted consent shares. */
export const consentRecords = sqliteTable(
  "consent_records",
  {
    consentId: text("consent_id")
      .notNull()
      .references(() => consents.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
  },
  (t) => [primaryKey({ columns: [t.consentId, t.patientId] }), index("consent_records_patient").on(t.patientId)],
);

/** The documents that a consent with `documents_only` opens: those that fulfil its document request. */
export const consentDocuments = sqliteTable(
  "consent_documents",
  {
    consentId: text("consent_id")
      .notNull()
      .references(() => consents.id),
    documentId: text("document_id")
      .notNull()
      .references(() => documents.id),
  },
  (t) => [primaryKey({ columns: [t.consentId, t.documentId] }), index("consent_documents_document").on(t.documentId)],
);

/**
 * Requests of a hospital for documents of another one. `status` is what the hospitals did; whether the person has consented is in the
 * consent, and together they are the state (document-requests/states.ts).
 */
export const documentRequests = sqliteTable(
  "document_requests",
  {
    id: text("id").primaryKey(),
    /** The hospital that asks, and its own record of the person. */
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    consentId: text("consent_id")
      .notNull()
      .references(() => consents.id),
    /** The hospital that is asked. Null: the person chooses, and the grant writes it. */
    askedHospitalId: text("asked_hospital_id").references(() => hospitals.id),
    status: text("status", { enum: DOCUMENT_REQUEST_STATES }).notNull(),
    descriptionSealed: text("description_sealed").notNull(),
    /** LOINC. */
    typeCode: text("type_code"),
    /** The times that the documents are about, Unix ms: from the first, before the second. */
    dateFrom: integer("date_from"),
    dateTo: integer("date_to"),
    /** Why the asked hospital rejected it. */
    reasonSealed: text("reason_sealed"),
    requestedBy: text("requested_by")
      .notNull()
      .references(() => users.id),
    /** Who approved or rejected it. */
    answeredBy: text("answered_by").references(() => users.id),
    answeredAt: integer("answered_at"),
    /** Who rejected, fulfilled or cancelled it; null for one that ended by itself. */
    endedBy: text("ended_by").references(() => users.id),
    endedAt: integer("ended_at"),
    expiresAt: integer("expires_at").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("document_requests_consent").on(t.consentId),
    index("document_requests_hospital").on(t.hospitalId, t.createdAt),
    index("document_requests_asked").on(t.askedHospitalId, t.createdAt),
    index("document_requests_patient").on(t.patientId, t.createdAt),
    index("document_requests_hospital_status").on(t.hospitalId, t.status, t.createdAt),
    index("document_requests_asked_status").on(t.askedHospitalId, t.status, t.createdAt),
    // For administrators of the platform, who see those of all hospitals.
    index("document_requests_status").on(t.status, t.createdAt),
    index("document_requests_created").on(t.createdAt),
    index("document_requests_open").on(t.expiresAt).where(sql`status IN ('requested', 'approved')`),
  ],
);

/** Every version of a consent, as it stood after each change: JSON of ids, codes and times. */
export const consentVersions = sqliteTable(
  "consent_versions",
  {
    consentId: text("consent_id")
      .notNull()
      .references(() => consents.id),
    version: integer("version").notNull(),
    artefact: text("artefact").notNull(),
    changedBy: text("changed_by"),
    changedAt: integer("changed_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.consentId, t.version] })],
);

/**
 * Accesses to one record in an emergency (break-glass). `hospitalId` is the reader's; `recordHospitalId` the one that holds the record.
 * An access ends by the clock at `endsAt`, or before by `endedAt`.
 */
export const emergencyAccesses = sqliteTable(
  "emergency_accesses",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    recordHospitalId: text("record_hospital_id")
      .notNull()
      .references(() => hospitals.id),
    /** The record of the same person at the reader's hospital; `patientId` for an own record. */
    ownPatientId: text("own_patient_id")
      .notNull()
      .references(() => patients.id),
    reasonSealed: text("reason_sealed").notNull(),
    /** 1: the session had a recent second step. */
    steppedUp: integer("stepped_up").notNull(),
    startedAt: integer("started_at").notNull(),
    endsAt: integer("ends_at").notNull(),
    endedAt: integer("ended_at"),
    /** When the patient was notified; null while a safeguarding delay holds the notice back. */
    patientNotifiedAt: integer("patient_notified_at"),
  },
  (t) => [
    index("emergency_accesses_user").on(t.userId, t.patientId, t.endsAt),
    index("emergency_accesses_user_started").on(t.userId, t.startedAt),
    index("emergency_accesses_hospital").on(t.hospitalId, t.startedAt),
    index("emergency_accesses_record_hospital").on(t.recordHospitalId, t.startedAt),
    index("emergency_accesses_unnotified").on(t.startedAt).where(sql`patient_notified_at IS NULL`),
    index("emergency_accesses_unnotified_patient").on(t.patientId).where(sql`patient_notified_at IS NULL`),
    index("emergency_accesses_unnotified_own").on(t.ownPatientId).where(sql`patient_notified_at IS NULL`),
  ],
);

/** A privacy officer's decision that the person of a record is notified of emergency access later (safeguarding). */
export const noticeDelays = sqliteTable("notice_delays", {
  patientId: text("patient_id")
    .primaryKey()
    .references(() => patients.id),
  reasonSealed: text("reason_sealed").notNull(),
  /** Unix ms, excluded. */
  until: integer("until").notNull(),
  setBy: text("set_by")
    .notNull()
    .references(() => users.id),
  /** Since when a delay runs without a gap; a later decision keeps it. */
  setAt: integer("set_at").notNull(),
});

/** Accesses to a patient's data that the hospital's privacy officers review. */
export const privacyReviews = sqliteTable(
  "privacy_reviews",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    kind: text("kind", { enum: PRIVACY_REVIEW_KINDS }).notNull(),
    /** What is reviewed: an audit event, an emergency access or a guardianship. */
    refId: text("ref_id").notNull(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    /** Who had access, or the guardian; null for a device, an app and the service itself. */
    subjectUserId: text("subject_user_id"),
    /** 1: listed before the others. */
    flagged: integer("flagged").notNull().default(0),
    status: text("status", { enum: PRIVACY_REVIEW_STATUSES }).notNull().default("open"),
    /** JSON: the text of who opened it, and the audit event. */
    contentSealed: text("content_sealed").notNull(),
    openedBy: text("opened_by").notNull(),
    openedAt: integer("opened_at").notNull(),
    outcome: text("outcome", { enum: PRIVACY_REVIEW_OUTCOMES }),
    noteSealed: text("note_sealed"),
    closedBy: text("closed_by"),
    closedAt: integer("closed_at"),
  },
  (t) => [
    uniqueIndex("privacy_reviews_ref").on(t.refId, t.kind, t.patientId),
    index("privacy_reviews_hospital").on(t.hospitalId, t.flagged, t.id),
    index("privacy_reviews_status").on(t.hospitalId, t.status, t.flagged, t.id),
    index("privacy_reviews_patient").on(t.patientId, t.kind, t.id),
  ],
);

/** The UTC day on which a patient last read the own access log: one audit event per person and day says so. */
export const accessLogReads = sqliteTable("access_log_reads", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id),
  /** Days since 1970-01-01. */
  day: integer("day").notNull(),
});

/** Codes by which a person shares records with a hospital of their choice: whoever of its staff enters the code gets a consent. */
export const consentOffers = sqliteTable(
  "consent_offers",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    codeHash: text("code_hash").notNull(),
    /** JSON array of the records to share; checked again when the code is used. */
    patientIds: text("patient_ids").notNull(),
    purpose: text("purpose", { enum: CONSENT_PURPOSES }).notNull(),
    kinds: text("kinds").notNull(),
    dataFrom: integer("data_from").notNull(),
    dataUntil: integer("data_until").notNull(),
    /** Of the consent; `validUntil` is the end of the code. */
    expiresAt: integer("expires_at").notNull(),
    eraseAt: integer("erase_at").notNull(),
    validUntil: integer("valid_until").notNull(),
    createdAt: integer("created_at").notNull(),
    usedAt: integer("used_at"),
    /** The consent that the use of the code created. */
    consentId: text("consent_id").references(() => consents.id),
    withdrawnAt: integer("withdrawn_at"),
  },
  (t) => [
    uniqueIndex("consent_offers_code").on(t.codeHash),
    index("consent_offers_user").on(t.userId, t.createdAt),
    index("consent_offers_valid_until").on(t.validUntil),
  ],
);

/** The current code of a login that is to become a guardian. A new one replaces it, and its use deletes it. */
export const guardianCodes = sqliteTable(
  "guardian_codes",
  {
    userId: text("user_id")
      .primaryKey()
      .references(() => users.id),
    codeHash: text("code_hash").notNull(),
    validUntil: integer("valid_until").notNull(),
  },
  (t) => [uniqueIndex("guardian_codes_code").on(t.codeHash), index("guardian_codes_valid_until").on(t.validUntil)],
);

/** Who decides about consents for the person of a record. In force once a second member of staff has confirmed it, until its end. */
export const guardianships = sqliteTable(
  "guardianships",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    guardianId: text("guardian_id")
      .notNull()
      .references(() => users.id),
    relationship: text("relationship", { enum: GUARDIAN_RELATIONSHIPS }).notNull(),
    reasonSealed: text("reason_sealed").notNull(),
    validUntil: integer("valid_until").notNull(),
    recordedBy: text("recorded_by").notNull(),
    recordedAt: integer("recorded_at").notNull(),
    confirmedBy: text("confirmed_by"),
    confirmedAt: integer("confirmed_at"),
    /** Null beside `endedAt`: by its date. */
    endedBy: text("ended_by"),
    endedAt: integer("ended_at"),
    ground: text("ground", { enum: GUARDIAN_GROUNDS }).notNull().default("cannot_decide"),
    endReasonSealed: text("end_reason_sealed"),
  },
  (t) => [
    index("guardianships_open").on(t.validUntil).where(sql`ended_at is null`),
    index("guardianships_patient").on(t.patientId, t.recordedAt),
    index("guardianships_guardian").on(t.guardianId, t.recordedAt),
  ],
);

/** What was corrected of a report, with reason and former values; of a move, the patient whose record it left. */
export const reportChanges = sqliteTable(
  "report_changes",
  {
    id: text("id").primaryKey(),
    reportId: text("report_id")
      .notNull()
      .references(() => reports.id),
    what: text("what", { enum: REPORT_CHANGES }).notNull(),
    fromPatientId: text("from_patient_id").references(() => patients.id),
    /** Of the report after the change. */
    version: integer("version").notNull(),
    changedBy: text("changed_by").notNull(),
    changedAt: integer("changed_at").notNull(),
    detailSealed: text("detail_sealed").notNull(),
  },
  (t) => [
    index("report_changes_report").on(t.reportId, t.changedAt),
    index("report_changes_from").on(t.fromPatientId, t.changedAt).where(sql`from_patient_id is not null`),
  ],
);

/**
 * Every attempted upload with its outcome. `file_key` refers to the quarantined bytes. Patient, file name, size and digest of a stored
 * upload are null where its report has them.
 */
export const uploads = sqliteTable(
  "uploads",
  {
    id: text("id").primaryKey(),
    actorKind: text("actor_kind", { enum: ["user", "device", "app"] }).notNull(),
    actorId: text("actor_id").notNull(),
    hospitalId: text("hospital_id"),
    patientId: text("patient_id"),
    reportId: text("report_id"),
    kind: text("kind"),
    outcome: text("outcome", { enum: UPLOAD_OUTCOMES }).notNull(),
    /** An error code of errors.ts. */
    reason: text("reason"),
    detailSealed: text("detail_sealed"),
    fileKey: text("file_key"),
    /** R2 key of a large file sent unencrypted, for minutes: confirmation encrypts it and deletes this object. */
    incomingKey: text("incoming_key"),
    fileSize: integer("file_size"),
    sha256: text("sha256"),
    requestId: text("request_id").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at"),
  },
  (t) => [
    uniqueIndex("uploads_incoming").on(t.incomingKey).where(sql`incoming_key is not null`),
    index("uploads_hospital").on(t.hospitalId, t.createdAt),
    index("uploads_created").on(t.createdAt),
    index("uploads_outcome").on(t.outcome, t.hospitalId, t.createdAt).where(sql`outcome <> 'stored'`),
    index("uploads_outcome_created").on(t.outcome, t.createdAt).where(sql`outcome <> 'stored'`),
    uniqueIndex("uploads_file_key").on(t.fileKey).where(sql`file_key is not null`),
  ],
);

/**
 * Counters, updated in the batch that changes them. scope: `all`, `h:<hospital>`, `p:<patient>`, `quota-day:<subject>` and
 * `quota:<subject>` (storage-quotas.ts); day 0: all time, else UTC day.
 */
export const counters = sqliteTable(
  "counters",
  {
    scope: text("scope").notNull(),
    day: integer("day").notNull(),
    name: text("name").notNull(),
    n: integer("n").notNull(),
    sum: real("sum").notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.scope, t.day, t.name] })],
);

/**
 * A random version per hospital and kind of data, replaced by triggers with every change (data-versions.ts). Random, so that no
 * version comes back when a backup is restored.
 */
export const dataVersions = sqliteTable("data_versions", {
  hospitalId: text("hospital_id").primaryKey(),
  patients: text("patients").notNull().default(""),
  careTeam: text("care_team").notNull().default(""),
  reports: text("reports").notNull().default(""),
  wards: text("wards").notNull().default(""),
  practitioners: text("practitioners").notNull().default(""),
  staff: text("staff").notNull().default(""),
});

/** Room for a bulk import beyond the storage quotas. What is used is the counter `quota:g:<id>`. */
export const importGrants = sqliteTable(
  "import_grants",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    bytes: integer("bytes").notNull(),
    reasonSealed: text("reason_sealed").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    revokedAt: integer("revoked_at"),
    revokedBy: text("revoked_by"),
  },
  (t) => [index("import_grants_hospital").on(t.hospitalId, t.createdAt)],
);

export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** Actor and route. */
    scope: text("scope").notNull(),
    keyHash: text("key_hash").notNull(),
    bodyHash: text("body_hash").notNull(),
    status: integer("status").notNull(),
    resourceId: text("resource_id").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.keyHash] }), index("idempotency_keys_created").on(t.createdAt)],
);

/** Outbox: work that must follow a committed change elsewhere (objects, mail); payloads hold ids only. */
export const outbox = sqliteTable(
  "outbox",
  {
    id: text("id").primaryKey(),
    topic: text("topic").notNull(),
    payload: text("payload").notNull(),
    attempts: integer("attempts").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    dueAt: integer("due_at").notNull(),
    doneAt: integer("done_at"),
    /** Incremented when the same thing changes again while the row waits. */
    changes: integer("changes").notNull().default(1),
  },
  (t) => [index("outbox_due").on(t.dueAt).where(sql`done_at is null`)],
);

/** FHIR AuditEvent, one row per decision. The only rowid table: `seq` orders the log. */
export const auditEvents = sqliteTable(
  "audit_events",
  {
    seq: integer("seq").primaryKey(),
    recordedAt: integer("recorded_at").notNull(),
    /** FHIR AuditEvent.action: create, read, update, delete, execute. */
    action: text("action", { enum: ["C", "R", "U", "D", "E"] }).notNull(),
    event: text("event").notNull(),
    outcome: text("outcome", { enum: ["success", "denied", "failed"] }).notNull(),
    reason: text("reason"),
    actorKind: text("actor_kind", { enum: ["user", "device", "app", "system", "anonymous"] }).notNull(),
    actorId: text("actor_id"),
    actorRole: text("actor_role"),
    /** The hospital whose data was accessed. */
    hospitalId: text("hospital_id"),
    /** The actor's hospital, when it is another one: its administrator sees the event too. */
    actorHospitalId: text("actor_hospital_id"),
    basis: text("basis"),
    purpose: text("purpose"),
    entityType: text("entity_type"),
    entityId: text("entity_id"),
    requestId: text("request_id").notNull(),
    ip: text("ip"),
    /** JSON of ids, counts and keyed hashes; never a name, a value or a search word. */
    detail: text("detail"),
    mac: text("mac"),
  },
  (t) => [
    // Every index of a rowid table ends in the rowid, here `seq`, which is the order of lists.
    index("audit_events_hospital").on(t.hospitalId),
    index("audit_events_abroad").on(t.actorHospitalId).where(sql`actor_hospital_id is not null`),
    index("audit_events_actor").on(t.actorId),
    index("audit_events_event").on(t.event, t.hospitalId),
    index("audit_events_refused").on(t.outcome, t.hospitalId).where(sql`outcome <> 'success'`),
  ],
);

/** Patients whose data an event touched: a patient's own access log is one indexed query. */
export const auditSubjects = sqliteTable(
  "audit_subjects",
  {
    patientId: text("patient_id").notNull(),
    seq: integer("seq").notNull(),
  },
  (t) => [primaryKey({ columns: [t.patientId, t.seq] })],
);

/** Legal holds: no event of the hospital's log that was recorded since `held_from` is deleted for its age (audit/retention.ts). */
export const legalHolds = sqliteTable("legal_holds", {
  hospitalId: text("hospital_id")
    .primaryKey()
    .references(() => hospitals.id),
  heldFrom: integer("held_from").notNull(),
  reasonSealed: text("reason_sealed").notNull(),
  setAt: integer("set_at").notNull(),
  setBy: text("set_by").notNull(),
});

/** Audit events that are not handed to the log of their hospital yet (access/audit.ts); each row is deleted once every log has it. */
export const auditStaged = sqliteTable("audit_staged", {
  /** UUIDv7: the id of the event. */
  id: text("id").primaryKey(),
  /** JSON of the event without id and subjects. */
  event: text("event").notNull(),
  /** JSON array of the ids of the patients that it concerns. */
  subjects: text("subjects").notNull(),
  /** When a log refused the content of the event; null while it waits. */
  parkedAt: integer("parked_at"),
});

/**
 * What a person is told: the kind, and ids of what it is about. One id for all recipients of an event; UUIDv7 of the event's time, so
 * that the order of ids is that of time.
 */
export const notifications = sqliteTable(
  "notifications",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    id: text("id").notNull(),
    hospitalId: text("hospital_id"),
    /** A kind of notifications/kinds.ts. */
    kind: text("kind").notNull(),
    priority: text("priority", { enum: NOTIFICATION_PRIORITIES }).notNull(),
    /** JSON object of ids; never a name or a value. */
    refs: text("refs").notNull(),
    createdAt: integer("created_at").notNull(),
    readAt: integer("read_at"),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.id] }),
    index("notifications_unread").on(t.userId, t.id).where(sql`read_at is null`),
    // The recipients of an event; by time, as ids begin with it.
    index("notifications_event").on(t.id),
  ],
);

/** One message to one target over one channel, with what became of it. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    /** `<id of the event>.<channel>.<target>`: the same event makes the same rows, however often it is handed over. */
    id: text("id").primaryKey(),
    /** The recipient; null for webhooks, and for mail to somebody who has no account yet. */
    userId: text("user_id"),
    hospitalId: text("hospital_id"),
    channel: text("channel", { enum: DELIVERY_CHANNELS }).notNull(),
    /** The user, the push subscription, the webhook, the row of the link that a mail contains, or the index of a phone number. */
    targetId: text("target_id").notNull(),
    kind: text("kind").notNull(),
    priority: text("priority", { enum: NOTIFICATION_PRIORITIES }).notNull(),
    refs: text("refs").notNull(),
    status: text("status", { enum: DELIVERY_STATUSES }).notNull().default("waiting"),
    /** Attempts that were begun. */
    attempts: integer("attempts").notNull().default(0),
    /** Null once the status is final. */
    nextAttemptAt: integer("next_attempt_at"),
    /** While it is being sent: when another consumer may take it over. */
    leasedUntil: integer("leased_until"),
    /** The provider's status code, and its answer (sealed: it may name the address). */
    answerStatus: integer("answer_status"),
    answerSealed: text("answer_sealed"),
    /** The exact body of a webhook's delivery. */
    bodySealed: text("body_sealed"),
    /** The body has clinical fields: it is sent only while its webhook has include_data. */
    bodyHasDetails: integer("body_has_details").notNull().default(0),
    createdAt: integer("created_at").notNull(),
    attemptedAt: integer("attempted_at"),
    settledAt: integer("settled_at"),
  },
  (t) => [
    index("deliveries_due").on(t.nextAttemptAt).where(sql`next_attempt_at is not null`),
    index("deliveries_hospital").on(t.hospitalId, t.id).where(sql`hospital_id is not null`),
    index("deliveries_target").on(t.targetId, t.id),
    index("deliveries_details").on(t.targetId).where(sql`body_has_details = 1`),
  ],
);

/** How a person is told: language, quiet hours and the phone number for text messages. */
export const notificationSettings = sqliteTable("notification_settings", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id),
  language: text("language", { enum: LANGUAGES }).notNull().default("en"),
  /** IANA name; null: that of the hospital. */
  timeZone: text("time_zone"),
  /** Minutes of the local day, 0 to 1439; both null without quiet hours. */
  quietFrom: integer("quiet_from"),
  quietUntil: integer("quiet_until"),
  phoneSealed: text("phone_sealed"),
  /** When a code that was sent to the number was entered; null until then. */
  phoneVerifiedAt: integer("phone_verified_at"),
  updatedAt: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

/** The code that shows whose a phone number is; it is derived from `id`. One row per person, which counts the codes of 24 hours. */
export const phoneCodes = sqliteTable(
  "phone_codes",
  {
    userId: text("user_id")
      .primaryKey()
      .references(() => users.id),
    id: text("id").notNull(),
    phoneSealed: text("phone_sealed").notNull(),
    /** Keyed HMAC of the number. */
    phoneIndex: text("phone_index").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
    attempts: integer("attempts").notNull().default(0),
    sentCount: integer("sent_count").notNull(),
    windowStartedAt: integer("window_started_at").notNull(),
  },
  (t) => [
    uniqueIndex("phone_codes_id").on(t.id),
    index("phone_codes_window").on(t.windowStartedAt),
    index("phone_codes_expiry").on(t.expiresAt),
  ],
);

/** What a person chose otherwise than the default of the kind (notifications/kinds.ts). */
export const notificationChoices = sqliteTable(
  "notification_choices",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    kind: text("kind").notNull(),
    channel: text("channel", { enum: PERSON_CHANNELS }).notNull(),
    isOn: integer("is_on").notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.kind, t.channel] })],
);

/** Channels that the members with a role cannot switch off at their hospital. */
export const requiredChannels = sqliteTable(
  "required_channels",
  {
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    role: text("role", { enum: STAFF_ROLES }).notNull(),
    channel: text("channel", { enum: PERSON_CHANNELS }).notNull(),
    setBy: text("set_by").notNull(),
    setAt: integer("set_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.hospitalId, t.role, t.channel] })],
);

/** Web Push subscriptions (RFC 8030) of a person's browsers. */
export const pushSubscriptions = sqliteTable(
  "push_subscriptions",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** Keyed HMAC of the endpoint: a browser has one subscription. */
    endpointIndex: text("endpoint_index").notNull(),
    /** Endpoint, keys and the name of the browser. */
    subscriptionSealed: text("subscription_sealed").notNull(),
    createdAt: integer("created_at").notNull(),
    renewedAt: integer("renewed_at").notNull(),
  },
  (t) => [uniqueIndex("push_subscriptions_endpoint").on(t.endpointIndex), index("push_subscriptions_user").on(t.userId)],
);

/** Receivers of a hospital's events (Standard Webhooks). */
export const webhooks = sqliteTable(
  "webhooks",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    urlSealed: text("url_sealed").notNull(),
    descriptionSealed: text("description_sealed"),
    /** Event types, separated by spaces. */
    events: text("events").notNull(),
    /** The signing secrets, with the time until which a replaced one is used too. */
    secretsSealed: text("secrets_sealed").notNull(),
    includeData: integer("include_data").notNull().default(0),
    active: integer("active").notNull().default(1),
    /** Since when every delivery has failed; null after a success. */
    failingSince: integer("failing_since"),
    disabledAt: integer("disabled_at"),
    disabledReason: text("disabled_reason", { enum: ["failures", "gone", "person"] }),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [index("webhooks_hospital").on(t.hospitalId, t.createdAt)],
);

/** Staff who hear of a ward's alarms. A ward without any is watched by all nurses of the hospital. */
export const wardStaff = sqliteTable(
  "ward_staff",
  {
    wardId: text("ward_id")
      .notNull()
      .references(() => wards.id),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    addedBy: text("added_by").notNull(),
    addedAt: integer("added_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.wardId, t.userId] }), index("ward_staff_user").on(t.userId)],
);

/** Minutes of escalation and repeats, and who is told in each tier; those of a ward override the hospital's. */
export const escalationSettings = sqliteTable("escalation_settings", {
  /** Id of a hospital or a ward. */
  scopeId: text("scope_id").primaryKey(),
  scope: text("scope", { enum: ["hospital", "ward"] }).notNull(),
  hospitalId: text("hospital_id")
    .notNull()
    .references(() => hospitals.id),
  /** JSON (monitoring/alarm-rules/escalation.ts). */
  settings: text("settings").notNull(),
  version: integer("version").notNull().default(1),
  updatedBy: text("updated_by").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** Links by which a person shows that an e-mail address is theirs. Stores only the HMAC of the token. */
export const emailLinks = sqliteTable(
  "email_links",
  {
    id: text("id").primaryKey(),
    tokenHash: text("token_hash").notNull(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** `verify` the address of the account, or `change` it to this one; `former`: told of a change, without a link. */
    purpose: text("purpose", { enum: ["verify", "change", "former"] }).notNull(),
    emailIndex: text("email_index").notNull(),
    addressSealed: text("address_sealed").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
  },
  (t) => [
    uniqueIndex("email_links_token").on(t.tokenHash),
    index("email_links_user").on(t.userId, t.createdAt),
    index("email_links_expiry").on(t.expiresAt),
    index("email_links_address").on(t.emailIndex),
  ],
);

/** The secret of a person's authenticator app (TOTP, RFC 6238). */
export const totpFactors = sqliteTable("totp_factors", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id),
  secretSealed: text("secret_sealed").notNull(),
  createdAt: integer("created_at").notNull(),
  /** When the first code was entered; it is no factor before. */
  confirmedAt: integer("confirmed_at"),
  /** The newest time step of an accepted code: no code counts twice. */
  lastStep: integer("last_step").notNull().default(0),
});

/** Passkeys (WebAuthn Level 3 credentials). */
export const passkeys = sqliteTable(
  "passkeys",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** Base64url, chosen by the authenticator. */
    credentialId: text("credential_id").notNull(),
    /** COSE key, base64url. */
    publicKey: text("public_key").notNull(),
    /** Signature counter; 0 for authenticators without one. */
    counter: integer("counter").notNull(),
    transports: text("transports").notNull(),
    isBackedUp: integer("is_backed_up").notNull(),
    nameSealed: text("name_sealed").notNull(),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at"),
  },
  (t) => [uniqueIndex("passkeys_credential").on(t.credentialId), index("passkeys_user").on(t.userId)],
);

export const recoveryCodes = sqliteTable(
  "recovery_codes",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** Keyed HMAC of user and code. */
    codeHash: text("code_hash").notNull(),
    createdAt: integer("created_at").notNull(),
    usedAt: integer("used_at"),
  },
  (t) => [primaryKey({ columns: [t.userId, t.codeHash] })],
);

/** Challenges of WebAuthn ceremonies and sign-ins that wait for their second step; each is used once. */
export const ceremonies = sqliteTable(
  "ceremonies",
  {
    id: text("id").primaryKey(),
    kind: text("kind", { enum: ["register", "sign_in", "second_step", "step_up"] }).notNull(),
    /** Null for a sign-in by passkey, before the person is known. */
    userId: text("user_id"),
    challenge: text("challenge").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
  },
  (t) => [
    index("ceremonies_user").on(t.userId, t.createdAt).where(sql`user_id is not null`),
    index("ceremonies_expiry").on(t.expiresAt),
  ],
);

/** From when a hospital's members with a role need a second step to sign in. */
export const factorPolicies = sqliteTable(
  "factor_policies",
  {
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    role: text("role", { enum: STAFF_ROLES }).notNull(),
    requiredFrom: integer("required_from").notNull(),
    setBy: text("set_by").notNull(),
    setAt: integer("set_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.hospitalId, t.role] })],
);

/** How long a hospital keeps records, where that is longer than its jurisdiction requires (erasure/jurisdictions.ts). */
export const retentionPolicies = sqliteTable("retention_policies", {
  hospitalId: text("hospital_id")
    .primaryKey()
    .references(() => hospitals.id),
  /** JSON (erasure/retention-policy.ts). */
  policy: text("policy").notNull(),
  version: integer("version").notNull().default(1),
  updatedBy: text("updated_by").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** Legal holds on records of patients: while one is open, the record is not erased. */
export const patientHolds = sqliteTable(
  "patient_holds",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    reasonSealed: text("reason_sealed").notNull(),
    setBy: text("set_by").notNull(),
    setAt: integer("set_at").notNull(),
    releaseReasonSealed: text("release_reason_sealed"),
    releasedBy: text("released_by"),
    releasedAt: integer("released_at"),
  },
  (t) => [
    uniqueIndex("patient_holds_open").on(t.patientId).where(sql`released_at is null`),
    index("patient_holds_patient").on(t.patientId, t.setAt),
    index("patient_holds_hospital").on(t.hospitalId, t.setAt),
    index("patient_holds_set").on(t.setAt),
  ],
);

/** Requests to erase a patient. `patient_id` has no reference: the row stays after the erasure, with ids alone. */
export const erasures = sqliteTable(
  "erasures",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id").notNull(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    state: text("state", { enum: ERASURE_STATES }).notNull(),
    /** Null once erased: the text may name the person. */
    reasonSealed: text("reason_sealed"),
    requestedBy: text("requested_by").notNull(),
    requestedAt: integer("requested_at").notNull(),
    decidedBy: text("decided_by"),
    decidedAt: integer("decided_at"),
    decisionReasonSealed: text("decision_reason_sealed"),
    /** When the retention period ends; null before the decision. */
    eraseOn: integer("erase_on"),
    startedAt: integer("started_at"),
    erasedAt: integer("erased_at"),
    /** JSON of the run (erasure/progress.ts); null before and after it. */
    progress: text("progress"),
    /** SHA-256 over what has been erased; changes with each step. */
    listHash: text("list_hash").notNull().default(""),
    /** The signed text of the certificate. */
    certificate: text("certificate"),
    /** Runs that failed since the start, why the last one did, and when the next one may begin. */
    failures: integer("failures").notNull().default(0),
    failure: text("failure", { enum: ERASURE_FAILURES }),
    retryAt: integer("retry_at"),
  },
  (t) => [
    uniqueIndex("erasures_open").on(t.patientId).where(sql`state in ('requested', 'restricted', 'erasing')`),
    index("erasures_patient").on(t.patientId, t.requestedAt),
    index("erasures_hospital").on(t.hospitalId, t.requestedAt),
    index("erasures_requested").on(t.requestedAt),
    index("erasures_hospital_state").on(t.hospitalId, t.state, t.requestedAt),
    index("erasures_state").on(t.state, t.requestedAt),
    index("erasures_ended").on(t.erasedAt, t.id).where(sql`state = 'erased'`),
    index("erasures_due").on(t.eraseOn).where(sql`state in ('restricted', 'erasing')`),
  ],
);

/** FHIR Location: a place of a hospital where patients are seen. Holds no patient. */
export const locations = sqliteTable(
  "locations",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    name: text("name").notNull(),
    address: text("address"),
    phone: text("phone"),
    active: integer("active").notNull().default(1),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [uniqueIndex("locations_name").on(t.hospitalId, t.name), index("locations_hospital").on(t.hospitalId, t.createdAt)],
);

/** A hospital's rules of appointments; a hospital without a row has the defaults. */
export const careSettings = sqliteTable("care_settings", {
  hospitalId: text("hospital_id")
    .primaryKey()
    .references(() => hospitals.id),
  selfBooking: text("self_booking", { enum: SELF_BOOKING }).notNull().default("request"),
  /** Patients book at least this long before the start, and not further ahead than the window. */
  leadMinutes: integer("lead_minutes").notNull().default(60),
  windowDays: integer("window_days").notNull().default(60),
  /** Patients cancel until this long before the start. */
  cancelUntilMinutes: integer("cancel_until_minutes").notNull().default(120),
  /** Appointments ahead that a patient may have booked. */
  maxOpenOwn: integer("max_open_own").notNull().default(5),
  /** How long a request of a patient holds its time, and an offer of the waiting list. */
  proposalMinutes: integer("proposal_minutes").notNull().default(1440),
  offerMinutes: integer("offer_minutes").notNull().default(30),
  /** After the end of an appointment whose patient did not come; null: it stays booked. */
  noshowAfterMinutes: integer("noshow_after_minutes").default(30),
  video: integer("video").notNull().default(0),
  payments: integer("payments").notNull().default(0),
  /** The price of an appointment in the smallest unit of the currency (ISO 4217). */
  priceMinor: integer("price_minor"),
  currency: text("currency"),
  updatedBy: text("updated_by").notNull(),
  updatedAt: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

/** Version of the open times of a practitioner, or of a hospital (closures): a booking compares the one that it read. */
export const practitionerCalendars = sqliteTable("practitioner_calendars", {
  /** A practitioner's id, or a hospital's. */
  ownerId: text("owner_id").primaryKey(),
  hospitalId: text("hospital_id")
    .notNull()
    .references(() => hospitals.id),
  version: integer("version").notNull().default(1),
});

/** FHIR Schedule: weekly windows of a practitioner at a place, in the hospital's time zone. */
export const schedules = sqliteTable(
  "schedules",
  {
    id: text("id").primaryKey(),
    practitionerId: text("practitioner_id")
      .notNull()
      .references(() => practitioners.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    locationId: text("location_id").references(() => locations.id),
    /** JSON: `[ISO weekday, from, until]` in minutes of the local day. */
    weekly: text("weekly").notNull(),
    /** Local dates; null: without a bound. */
    validFrom: text("valid_from"),
    validUntil: text("valid_until"),
    slotMinutes: integer("slot_minutes").notNull().default(30),
    /** Minutes that an appointment blocks before and after itself. */
    bufferBefore: integer("buffer_before").notNull().default(0),
    bufferAfter: integer("buffer_after").notNull().default(0),
    bookableBy: text("bookable_by", { enum: SCHEDULE_BOOKERS }).notNull().default("patients"),
    active: integer("active").notNull().default(1),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [index("schedules_practitioner").on(t.practitionerId, t.active), index("schedules_hospital").on(t.hospitalId, t.active)],
);

/** Leave and extra hours of a practitioner; without a practitioner, times at which the hospital is closed. */
export const scheduleExceptions = sqliteTable(
  "schedule_exceptions",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    practitionerId: text("practitioner_id").references(() => practitioners.id),
    locationId: text("location_id").references(() => locations.id),
    kind: text("kind", { enum: SCHEDULE_EXCEPTIONS }).notNull(),
    fromAt: integer("from_at").notNull(),
    untilAt: integer("until_at").notNull(),
    noteSealed: text("note_sealed"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    index("schedule_exceptions_practitioner").on(t.practitionerId, t.untilAt),
    index("schedule_exceptions_hospital").on(t.hospitalId, t.untilAt).where(sql`practitioner_id is null`),
  ],
);

/** Appointments that repeat: the rule (RFC 5545 RRULE) and the local time of the first. */
export const appointmentSeries = sqliteTable(
  "appointment_series",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    practitionerId: text("practitioner_id")
      .notNull()
      .references(() => practitioners.id),
    locationId: text("location_id").references(() => locations.id),
    rrule: text("rrule").notNull(),
    /** Local date and time without zone, and the IANA zone. */
    localStart: text("local_start").notNull(),
    zone: text("zone").notNull(),
    durationMinutes: integer("duration_minutes").notNull(),
    /** JSON: local starts that the series leaves out. */
    exdates: text("exdates").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("appointment_series_patient").on(t.patientId, t.createdAt),
    index("appointment_series_practitioner").on(t.practitionerId, t.createdAt).where(sql`ended_at is null`),
  ],
);

/**
 * FHIR Appointment. Triggers keep the blocked times of a practitioner apart: of two rows with `holds` whose times intersect, at least one
 * is overbooked deliberately, or one is a proposal that has expired.
 */
export const appointments = sqliteTable(
  "appointments",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    practitionerId: text("practitioner_id")
      .notNull()
      .references(() => practitioners.id),
    locationId: text("location_id").references(() => locations.id),
    status: text("status", { enum: APPOINTMENT_STATUSES }).notNull(),
    /** 1 while it reserves its time: proposed, booked, arrived or fulfilled, and not a walk-in. */
    holds: integer("holds").notNull(),
    startsAt: integer("starts_at").notNull(),
    endsAt: integer("ends_at").notNull(),
    /** With the buffers of the schedule. */
    blockedFrom: integer("blocked_from").notNull(),
    blockedUntil: integer("blocked_until").notNull(),
    overbooked: integer("overbooked").notNull().default(0),
    overbookReasonSealed: text("overbook_reason_sealed"),
    overbookedBy: text("overbooked_by"),
    walkIn: integer("walk_in").notNull().default(0),
    /** Until when a proposal holds its time; null in other states. */
    expiresAt: integer("expires_at"),
    /** `reason`: the patient sees it; `notes`: staff only. */
    reasonSealed: text("reason_sealed"),
    notesSealed: text("notes_sealed"),
    seriesId: text("series_id").references(() => appointmentSeries.id),
    /** The local start that the series gave it. */
    occurrence: text("occurrence"),
    /** 1: moved or cancelled by itself; changes of the series leave it. */
    seriesException: integer("series_exception").notNull().default(0),
    /** The next reminder that is due, Unix ms. */
    nextReminderAt: integer("next_reminder_at"),
    cancelledBy: text("cancelled_by"),
    cancelReasonSealed: text("cancel_reason_sealed"),
    /** The start before it was last moved. */
    changedFrom: integer("changed_from"),
    bookedBy: text("booked_by").notNull(),
    bookedByKind: text("booked_by_kind", { enum: BOOKER_KINDS }).notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("appointments_busy")
      .on(t.practitionerId, t.blockedFrom, t.blockedUntil, t.status, t.expiresAt, t.overbooked)
      .where(sql`holds = 1`),
    index("appointments_practitioner").on(t.practitionerId, t.startsAt),
    index("appointments_patient").on(t.patientId, t.startsAt),
    index("appointments_hospital").on(t.hospitalId, t.startsAt),
    index("appointments_location").on(t.locationId, t.startsAt).where(sql`location_id is not null`),
    index("appointments_reminder").on(t.nextReminderAt).where(sql`next_reminder_at is not null`),
    index("appointments_proposed").on(t.expiresAt).where(sql`status = 'proposed'`),
    index("appointments_noshow").on(t.endsAt).where(sql`status = 'booked'`),
    index("appointments_series").on(t.seriesId, t.startsAt).where(sql`series_id is not null`),
    uniqueIndex("appointments_occurrence").on(t.seriesId, t.occurrence).where(sql`series_id is not null`),
    check("appointments_times", sql`starts_at < ends_at AND blocked_from <= starts_at AND ends_at <= blocked_until`),
    // The search for intersecting rows looks back one day.
    check("appointments_length", sql`blocked_until - blocked_from <= 86400000`),
    check("appointments_holds", sql`holds = (walk_in = 0 AND status IN ('proposed', 'booked', 'arrived', 'fulfilled'))`),
  ],
);

/** Patients who wait for a time. `offered_appointment_id` is the proposal that was made for them. */
export const waitingEntries = sqliteTable(
  "waiting_entries",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    practitionerId: text("practitioner_id").references(() => practitioners.id),
    locationId: text("location_id").references(() => locations.id),
    specialty: text("specialty"),
    fromAt: integer("from_at").notNull(),
    untilAt: integer("until_at").notNull(),
    durationMinutes: integer("duration_minutes").notNull(),
    /** JSON: weekdays and times of day that suit, in the hospital's zone. */
    days: text("days").notNull(),
    state: text("state", { enum: WAITING_STATES }).notNull(),
    offeredAppointmentId: text("offered_appointment_id").references(() => appointments.id),
    reasonSealed: text("reason_sealed"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("waiting_entries_hospital").on(t.hospitalId, t.state, t.createdAt),
    index("waiting_entries_patient").on(t.patientId, t.createdAt),
    index("waiting_entries_offer").on(t.offeredAppointmentId).where(sql`offered_appointment_id is not null`),
  ],
);

/** Times that an appointment gave up while patients of the hospital waited; written by a trigger, taken by the waiting list's job. */
export const freedSlots = sqliteTable(
  "freed_slots",
  {
    appointmentId: text("appointment_id").notNull(),
    fromAt: integer("from_at").notNull(),
    untilAt: integer("until_at").notNull(),
    practitionerId: text("practitioner_id").notNull(),
    hospitalId: text("hospital_id").notNull(),
    locationId: text("location_id"),
    freedAt: integer("freed_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.appointmentId, t.fromAt] }), index("freed_slots_freed").on(t.freedAt)],
);

/** Numbers of a waiting room, from 1 per place and local day. */
export const queueTokens = sqliteTable(
  "queue_tokens",
  {
    locationId: text("location_id")
      .notNull()
      .references(() => locations.id),
    /** The local date. */
    day: text("day").notNull(),
    n: integer("n").notNull(),
    appointmentId: text("appointment_id")
      .notNull()
      .references(() => appointments.id),
    hospitalId: text("hospital_id").notNull(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    practitionerId: text("practitioner_id"),
    state: text("state", { enum: QUEUE_STATES }).notNull(),
    room: text("room"),
    calledAt: integer("called_at"),
    doneAt: integer("done_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    primaryKey({ columns: [t.locationId, t.day, t.n] }),
    uniqueIndex("queue_tokens_appointment").on(t.appointmentId),
    index("queue_tokens_patient").on(t.patientId),
    index("queue_tokens_state").on(t.locationId, t.day, t.state),
    index("queue_tokens_created").on(t.createdAt),
  ],
);

/** Unlisted addresses of calendars and of displays in waiting rooms; only the hash of the token is stored. */
export const calendarFeeds = sqliteTable(
  "calendar_feeds",
  {
    id: text("id").primaryKey(),
    kind: text("kind", { enum: CALENDAR_KINDS }).notNull(),
    tokenHash: text("token_hash").notNull(),
    ownerUserId: text("owner_user_id")
      .notNull()
      .references(() => users.id),
    practitionerId: text("practitioner_id").references(() => practitioners.id),
    patientId: text("patient_id").references(() => patients.id),
    locationId: text("location_id").references(() => locations.id),
    hospitalId: text("hospital_id").references(() => hospitals.id),
    createdAt: integer("created_at").notNull(),
    revokedAt: integer("revoked_at"),
    /** The UTC day of the last read. */
    lastReadDay: integer("last_read_day"),
  },
  (t) => [
    uniqueIndex("calendar_feeds_token").on(t.tokenHash),
    index("calendar_feeds_owner").on(t.ownerUserId, t.createdAt),
    index("calendar_feeds_patient").on(t.patientId).where(sql`patient_id is not null`),
    index("calendar_feeds_location").on(t.locationId).where(sql`location_id is not null`),
    index("calendar_feeds_revoked").on(t.revokedAt).where(sql`revoked_at is not null`),
  ],
);

/** Payments of appointments at a provider. They stay for the accounts when the patient is erased. */
export const paymentIntents = sqliteTable(
  "payment_intents",
  {
    id: text("id").primaryKey(),
    appointmentId: text("appointment_id").references(() => appointments.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id").references(() => patients.id),
    /** In the smallest unit of the currency (ISO 4217). */
    amountMinor: integer("amount_minor").notNull(),
    currency: text("currency").notNull(),
    status: text("status", { enum: PAYMENT_STATUSES }).notNull(),
    /** The provider's id; null until it has answered. */
    providerRef: text("provider_ref"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("payment_intents_provider").on(t.providerRef).where(sql`provider_ref is not null`),
    index("payment_intents_appointment").on(t.appointmentId, t.createdAt).where(sql`appointment_id is not null`),
    index("payment_intents_patient").on(t.patientId).where(sql`patient_id is not null`),
    index("payment_intents_hospital").on(t.hospitalId, t.createdAt),
  ],
);

/** Events of the provider that were received, so that none counts twice. */
export const paymentEvents = sqliteTable(
  "payment_events",
  {
    eventId: text("event_id").primaryKey(),
    intentId: text("intent_id"),
    type: text("type").notNull(),
    receivedAt: integer("received_at").notNull(),
  },
  (t) => [index("payment_events_received").on(t.receivedAt)],
);

/** FHIR Encounter: one consultation of a patient with a doctor. */
export const encounters = sqliteTable(
  "encounters",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    doctorId: text("doctor_id")
      .notNull()
      .references(() => users.id),
    practitionerId: text("practitioner_id"),
    appointmentId: text("appointment_id").references(() => appointments.id),
    status: text("status", { enum: ENCOUNTER_STATUSES }).notNull(),
    sessionType: text("session_type").notNull(),
    chiefComplaintSealed: text("chief_complaint_sealed"),
    startedAt: integer("started_at").notNull(),
    /** Since when it is paused, and the sum of the pauses before. */
    pausedAt: integer("paused_at"),
    pausedMs: integer("paused_ms").notNull().default(0),
    endedAt: integer("ended_at"),
    /** Whole seconds without pauses; null while it runs. */
    durationS: integer("duration_s"),
    /** Why it was cancelled or entered in error. */
    endReasonSealed: text("end_reason_sealed"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("encounters_doctor").on(t.doctorId, t.startedAt),
    index("encounters_patient").on(t.patientId, t.startedAt),
    index("encounters_hospital").on(t.hospitalId, t.startedAt),
    uniqueIndex("encounters_appointment")
      .on(t.appointmentId)
      .where(sql`appointment_id is not null and status not in ('cancelled', 'entered-in-error')`),
    uniqueIndex("encounters_running").on(t.doctorId, t.patientId).where(sql`status in ('in-progress', 'onleave')`),
  ],
);

/** The note of an encounter (1) and what was added after its end (from 2). */
export const encounterNotes = sqliteTable(
  "encounter_notes",
  {
    id: text("id").primaryKey(),
    encounterId: text("encounter_id")
      .notNull()
      .references(() => encounters.id),
    n: integer("n").notNull(),
    textSealed: text("text_sealed").notNull(),
    authorId: text("author_id").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [uniqueIndex("encounter_notes_encounter").on(t.encounterId, t.n)],
);

/** What is being written of a report: its first version, or an amendment. */
export const reportDrafts = sqliteTable("report_drafts", {
  reportId: text("report_id")
    .primaryKey()
    .references(() => reports.id),
  /** The signed version that an amendment changes; 0 for a first version. */
  baseVersion: integer("base_version").notNull(),
  contentSealed: text("content_sealed").notNull(),
  /** Why a signed report is amended. */
  reasonSealed: text("reason_sealed"),
  authorId: text("author_id").notNull(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

/** Released and signed versions of a report. `statement` is what was signed (Ed25519): it names the SHA-256 of the stored bytes. */
export const reportVersions = sqliteTable(
  "report_versions",
  {
    id: text("id").primaryKey(),
    reportId: text("report_id")
      .notNull()
      .references(() => reports.id),
    n: integer("n").notNull(),
    status: text("status", { enum: REPORT_VERSION_STATUSES }).notNull(),
    /** The stored content; null while it is the report's own file. */
    contentKey: text("content_key"),
    contentSize: integer("content_size").notNull(),
    sha256: text("sha256").notNull(),
    statement: text("statement"),
    kid: text("kid"),
    signature: text("signature"),
    signedBy: text("signed_by"),
    signedAt: integer("signed_at"),
    releasedBy: text("released_by").notNull(),
    releasedAt: integer("released_at").notNull(),
    reasonSealed: text("reason_sealed"),
  },
  (t) => [
    uniqueIndex("report_versions_report").on(t.reportId, t.n),
    uniqueIndex("report_versions_content").on(t.contentKey).where(sql`content_key is not null`),
  ],
);

/** Links to an intake form for somebody without an account. */
export const intakeLinks = sqliteTable(
  "intake_links",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id").references(() => patients.id),
    tokenHash: text("token_hash").notNull(),
    /** Fields and questions. */
    formSealed: text("form_sealed").notNull(),
    language: text("language").notNull(),
    expiresAt: integer("expires_at").notNull(),
    usedAt: integer("used_at"),
    revokedAt: integer("revoked_at"),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    uniqueIndex("intake_links_token").on(t.tokenHash),
    index("intake_links_hospital").on(t.hospitalId, t.createdAt),
    index("intake_links_expiry").on(t.expiresAt),
    index("intake_links_patient").on(t.patientId).where(sql`patient_id is not null`),
  ],
);

/** Answers that wait for staff, who take them over field by field. */
export const intakeSubmissions = sqliteTable(
  "intake_submissions",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    patientId: text("patient_id").references(() => patients.id),
    linkId: text("link_id"),
    source: text("source", { enum: INTAKE_SOURCES }).notNull(),
    state: text("state", { enum: INTAKE_STATES }).notNull(),
    answersSealed: text("answers_sealed").notNull(),
    submittedBy: text("submitted_by"),
    submittedAt: integer("submitted_at").notNull(),
    reviewedBy: text("reviewed_by"),
    reviewedAt: integer("reviewed_at"),
    decisionSealed: text("decision_sealed"),
    /** The row of `intake_responses` that was made of it. */
    intakeId: text("intake_id"),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    index("intake_submissions_hospital").on(t.hospitalId, t.state, t.submittedAt),
    index("intake_submissions_patient").on(t.patientId, t.submittedAt).where(sql`patient_id is not null`),
    uniqueIndex("intake_submissions_link").on(t.linkId).where(sql`link_id is not null`),
    index("intake_submissions_submitted").on(t.submittedAt),
  ],
);

/** Exports of a whole record: a job in the background and its file, which expires. */
export const recordExports = sqliteTable(
  "record_exports",
  {
    id: text("id").primaryKey(),
    patientId: text("patient_id")
      .notNull()
      .references(() => patients.id),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    requestedBy: text("requested_by").notNull(),
    format: text("format", { enum: RECORD_EXPORT_FORMATS }).notNull(),
    language: text("language").notNull(),
    state: text("state", { enum: RECORD_EXPORT_STATES }).notNull(),
    /** Percent. */
    progress: integer("progress").notNull().default(0),
    attempts: integer("attempts").notNull().default(0),
    leaseUntil: integer("lease_until"),
    fileKey: text("file_key"),
    /** Bytes of the plaintext. */
    fileSize: integer("file_size"),
    sha256: text("sha256"),
    /** An error code, if it failed. */
    reason: text("reason"),
    expiresAt: integer("expires_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (t) => [
    uniqueIndex("record_exports_file").on(t.fileKey).where(sql`file_key is not null`),
    index("record_exports_patient").on(t.patientId, t.createdAt),
    index("record_exports_hospital").on(t.hospitalId, t.createdAt),
    index("record_exports_open").on(t.leaseUntil).where(sql`state in ('queued', 'running')`),
    index("record_exports_expiry").on(t.expiresAt).where(sql`file_key is not null`),
  ],
);

/** Merges of two records of one person, which can be undone exactly for a time. */
export const patientMerges = sqliteTable(
  "patient_merges",
  {
    id: text("id").primaryKey(),
    hospitalId: text("hospital_id")
      .notNull()
      .references(() => hospitals.id),
    fromId: text("from_id")
      .notNull()
      .references(() => patients.id),
    intoId: text("into_id")
      .notNull()
      .references(() => patients.id),
    reasonSealed: text("reason_sealed").notNull(),
    /** JSON: rows by table. */
    counts: text("counts").notNull(),
    mergedBy: text("merged_by").notNull(),
    mergedAt: integer("merged_at").notNull(),
    undoneBy: text("undone_by"),
    undoneAt: integer("undone_at"),
  },
  (t) => [
    uniqueIndex("patient_merges_from").on(t.fromId).where(sql`undone_at is null`),
    index("patient_merges_from_all").on(t.fromId, t.mergedAt),
    index("patient_merges_into").on(t.intoId, t.mergedAt),
    index("patient_merges_hospital").on(t.hospitalId, t.mergedAt),
  ],
);

/** The rows that a merge gave to the other record or copied there. */
export const mergeRows = sqliteTable(
  "merge_rows",
  {
    mergeId: text("merge_id")
      .notNull()
      .references(() => patientMerges.id),
    tableName: text("table_name").notNull(),
    rowKey: text("row_key").notNull(),
    how: text("how", { enum: MERGE_TREATMENTS }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.mergeId, t.tableName, t.rowKey] })],
);

/**
 * Counts of what happened per UTC day, kept by triggers: of the hospital (`dimension` empty), a ward (`w`) or a practitioner (`p`).
 * `measure` names what is counted, such as `report|ecg|final`; `sum` adds up seconds.
 */
export const activityCounts = sqliteTable(
  "activity_counts",
  {
    hospitalId: text("hospital_id").notNull(),
    dimension: text("dimension", { enum: ["", "w", "p"] }).notNull(),
    key: text("key").notNull(),
    day: integer("day").notNull(),
    measure: text("measure").notNull(),
    n: integer("n").notNull(),
    sum: real("sum").notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.hospitalId, t.dimension, t.key, t.day, t.measure] })],
);
