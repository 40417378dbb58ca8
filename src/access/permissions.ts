// Permissions per role. access.ts decides whether the caller may access a given patient.
import type { EffectiveRole, Role } from "./actor.ts";

const STAFF: readonly Role[] = ["nurse", "doctor", "hospital_admin", "admin"];
const EVERYONE: readonly Role[] = ["patient", ...STAFF];
const CARE_EDITORS: readonly Role[] = ["nurse", "hospital_admin", "admin"];
const MANAGERS: readonly Role[] = ["hospital_admin", "admin"];
/** Staff of a hospital: who treats, and who runs it. */
const HOSPITAL_STAFF: readonly Role[] = ["nurse", "doctor", "hospital_admin"];
const CLINICIANS: readonly Role[] = ["nurse", "doctor"];

const ROLES_BY_PERMISSION = {
  "self:read": EVERYONE,
  "self:write": EVERYONE,
  /** The own notifications, and how the person is told: they name patients, and lead alarms to a phone or browser. */
  "notification:read": EVERYONE,
  "notification:write": EVERYONE,
  "patient:read": EVERYONE,
  "patient:create": STAFF,
  "patient:search": STAFF,
  /** A patient changes only a record created by self-registration (access.ts). */
  "patient:update": EVERYONE,
  "patient:delete": MANAGERS,
  "patient:claim": ["patient"],
  "claim_code:create": CARE_EDITORS,
  "care_team:read": STAFF,
  "care_team:update": CARE_EDITORS,
  "report:read": EVERYONE,
  "report:create": EVERYONE,
  /** Correct, move and mark as entered in error; also read what was corrected. */
  "report:correct": STAFF,
  /** What was entered in error is shown to those who may correct. */
  "document:read": EVERYONE,
  "document:create": EVERYONE,
  "document:correct": STAFF,
  "upload:read": CARE_EDITORS,
  "upload:assign": CARE_EDITORS,
  /** Of a patient: the own devices (devices/devices.ts). */
  "device:read": EVERYONE,
  "device:manage": ["patient", ...CARE_EDITORS],
  "device:create": CARE_EDITORS,
  "device:assign": CARE_EDITORS,
  "device_claim_code:create": CARE_EDITORS,
  "own_device:create": ["patient"],
  "observation:read": EVERYONE,
  "observation:create": EVERYONE,
  "observation:amend": STAFF,
  /** Sets of observations, which staff takes at the bedside, and pauses of them. */
  "observation_set:create": STAFF,
  "observation_pause:manage": STAFF,
  "alert:read": EVERYONE,
  "alert:update": STAFF,
  /** Live views, which show vitals, scores and alerts. */
  "live:read": EVERYONE,
  "alert_rule:read": STAFF,
  "alert_rule:manage": STAFF,
  /** Minutes to escalation, and who is told in each tier. */
  "escalation:read": STAFF,
  "escalation:manage": MANAGERS,
  /** Ask the person of an own record for access to records elsewhere. */
  "consent:request": ["nurse", "doctor", "hospital_admin"],
  "consent:read": EVERYONE,
  /** The person alone grants, denies and ends. */
  "consent:decide": ["patient"],
  /** Proves at the own login that somebody is present who is to be a guardian. */
  "guardian_code:create": ["patient"],
  "guardian:read": ["nurse", "doctor", "hospital_admin"],
  /** Record and confirm: two members of staff. */
  "guardian:manage": ["nurse", "hospital_admin"],
  /** The own guardianships. */
  "guardianship:read": ["patient"],
  /** End one, as the guardian or as staff of the record's hospital. */
  "guardianship:update": ["patient", "nurse", "hospital_admin"],
  /** Ask another hospital for documents of an own patient, and take the request back. */
  "document_request:create": ["nurse", "doctor", "hospital_admin"],
  "document_request:read": EVERYONE,
  /** Approve, reject and fulfil, as the hospital that is asked. */
  "document_request:answer": ["nurse", "doctor", "hospital_admin"],
  /** Open one record past the role for an hour, and end that (emergency-access). */
  "emergency_access:create": ["nurse", "doctor"],
  "emergency_access:update": ["nurse", "doctor"],
  /** Own ones; privacy officers those of the hospital. */
  "emergency_access:read": ["nurse", "doctor", "hospital_admin"],
  /** Privacy officers of the hospital only. */
  "notice_delay:read": ["nurse", "doctor", "hospital_admin"],
  "notice_delay:manage": ["nurse", "doctor", "hospital_admin"],
  "hospital:read": EVERYONE,
  "hospital:create": ["admin"],
  "hospital:update": MANAGERS,
  "storage:read": MANAGERS,
  /** Platform administrators only: a grant takes room from the other hospitals. */
  "import_grant:manage": ["admin"],
  "ward:read": STAFF,
  "ward:manage": MANAGERS,
  "practitioner:read": EVERYONE,
  /** Doctors and nurses: the own profile. */
  "practitioner:update": EVERYONE,
  "practitioner:manage": MANAGERS,
  /** Colleagues see names and roles; contact details are for managers (organization/hospitals/members.ts). */
  "member:read": STAFF,
  "member:manage": MANAGERS,
  "user:read": MANAGERS,
  "user:create": MANAGERS,
  "user:update": MANAGERS,
  "user:unlock": MANAGERS,
  "api_key:read": MANAGERS,
  "api_key:manage": MANAGERS,
  "webhook:read": MANAGERS,
  "webhook:manage": MANAGERS,
  /** Sends clinical fields to a system of the hospital, beyond ids. */
  "webhook:include_data": MANAGERS,
  /** What was sent to whom, by which channel. */
  "delivery:read": MANAGERS,
  "delivery:manage": MANAGERS,
  "audit:read": ["patient", "hospital_admin", "admin"],
  "audit:export": ["patient", "hospital_admin", "admin"],
  "audit:verify": MANAGERS,
  /** Checkpoints name nobody: who keeps one can show later that the log was not rewritten. */
  "audit_checkpoint:read": STAFF,
  "audit_retention:read": MANAGERS,
  "legal_hold:manage": ["admin"],
  "privacy_officer:read": STAFF,
  "privacy_officer:manage": MANAGERS,
  /** Of these, the privacy officers of the hospital only (privacy/reviews). */
  "privacy_review:read": ["nurse", "doctor", "hospital_admin"],
  "privacy_review:close": ["nurse", "doctor", "hospital_admin"],
  "privacy_question:read": ["patient"],
  "privacy_question:create": ["patient"],
  "retention:read": MANAGERS,
  "retention:manage": MANAGERS,
  /** Legal holds on records of patients; `legal_hold:manage` is about audit events. */
  "patient_hold:read": MANAGERS,
  "patient_hold:manage": MANAGERS,
  /** Patients ask for their own records. */
  "erasure:create": ["patient", ...MANAGERS],
  "erasure:read": ["patient", ...MANAGERS],
  /** Approve or reject what somebody else requested. */
  "erasure:manage": MANAGERS,
  /** Repeat erasures that certificates prove, after a backup was restored. */
  "erasure:apply": ["admin"],
  /** The own second factors, passkeys and recovery codes. */
  "factor:read": EVERYONE,
  "factor:manage": EVERYONE,
  /** Remove all factors of another person. */
  "factor:reset": MANAGERS,
  "factor_policy:read": MANAGERS,
  "factor_policy:manage": MANAGERS,
  "location:read": EVERYONE,
  "location:manage": MANAGERS,
  /** The hospital's rules of appointments. */
  "care_settings:read": EVERYONE,
  "care_settings:manage": MANAGERS,
  /** Doctors and nurses: of the own profile. */
  "availability:read": EVERYONE,
  "availability:manage": STAFF,
  /** Guardians too, for the records that they decide about (access/guardians.ts). */
  "appointment:read": EVERYONE,
  "appointment:create": ["patient", ...HOSPITAL_STAFF],
  "appointment:update": ["patient", ...HOSPITAL_STAFF],
  /** Book a time that is taken, with a reason. */
  "appointment:overbook": ["doctor", "hospital_admin"],
  "waiting_list:read": ["patient", ...HOSPITAL_STAFF],
  "waiting_list:create": ["patient", ...HOSPITAL_STAFF],
  "waiting_list:update": ["patient", ...HOSPITAL_STAFF],
  /** Numbers of the waiting room. */
  "queue:read": STAFF,
  "queue:manage": HOSPITAL_STAFF,
  /** The own calendar addresses; displays of a waiting room are for managers. */
  "calendar_feed:read": EVERYONE,
  "calendar_feed:manage": EVERYONE,
  "encounter:read": EVERYONE,
  "encounter:create": CLINICIANS,
  /** Also reads the notes. */
  "encounter:update": CLINICIANS,
  /** Write reports, and over-read those of devices. */
  "report:author": ["doctor"],
  "report:sign": ["doctor"],
  /** The whole record as a file. */
  "record:export": ["patient", "doctor", "hospital_admin"],
  /** Progress and file of an export that the caller asked for. */
  "record_export:read": ["patient", "doctor", "hospital_admin"],
  "intake_link:read": HOSPITAL_STAFF,
  "intake_link:create": HOSPITAL_STAFF,
  "intake_link:manage": HOSPITAL_STAFF,
  "intake:submit": ["patient", ...HOSPITAL_STAFF],
  /** Read what waits for review, and take it over. */
  "intake:review": HOSPITAL_STAFF,
  "patient:match": STAFF,
  "patient:merge": MANAGERS,
  /** Doctors: the own figures. */
  "dashboard:read": ["doctor", ...MANAGERS],
  "video:join": ["patient", ...CLINICIANS],
  "payment:read": ["patient", "hospital_admin"],
  "payment:create": ["patient", "hospital_admin"],
  "admin:read": ["admin"],
  "docs:read": STAFF,
} as const satisfies Record<string, readonly Role[]>;

export const PERMISSIONS = Object.keys(ROLES_BY_PERMISSION);
export type Permission = keyof typeof ROLES_BY_PERMISSION;

/** Permissions that an API key can be given as scopes. */
export const APP_SCOPES = [
  "patient:read",
  "patient:search",
  "patient:create",
  "patient:update",
  "report:read",
  "report:create",
  "observation:read",
  "observation:create",
  "alert:read",
  "appointment:read",
  "appointment:create",
  "encounter:read",
] as const satisfies readonly Permission[];

export type AppScope = (typeof APP_SCOPES)[number];

/** What every device credential may do, for the patient that the device is assigned to (access.ts). */
export const DEVICE_SCOPES = ["report:create", "observation:create"] as const satisfies readonly Permission[];
export type DeviceScope = (typeof DEVICE_SCOPES)[number];

/** The scope that a device needs, if it can have the permission: one that may send reports reads back those that it sent. */
export function findDeviceScope(permission: Permission): DeviceScope | undefined {
  return DEVICE_SCOPES.find((scope) => scope === (permission === "report:read" ? "report:create" : permission));
}

/** Scopes for permissions that are no scope themselves. A frame of a live view can contain any of its kinds of data. */
const SCOPES_BY_PERMISSION: Partial<Record<Permission, readonly AppScope[]>> = {
  "live:read": ["patient:read", "observation:read", "alert:read"],
};

/** The scopes that an app needs; empty for a permission that no app can have. */
export function requiredScopes(permission: Permission): readonly AppScope[] {
  return SCOPES_BY_PERMISSION[permission] ?? APP_SCOPES.filter((scope) => scope === permission);
}

/** True when the role, or for an app any scope, could allow the permission. Scopes are checked by `roleAllows`. */
export function roleMightAllow({ role }: EffectiveRole, permission: Permission): boolean {
  const roles: readonly (Role | "app")[] = ROLES_BY_PERMISSION[permission];
  return role === "app" ? requiredScopes(permission).length > 0 : roles.includes(role);
}

export function roleAllows(effectiveRole: EffectiveRole, permission: Permission): boolean {
  if (!roleMightAllow(effectiveRole, permission)) return false;
  return effectiveRole.role !== "app" || requiredScopes(permission).every((scope) => effectiveRole.scopes.includes(scope));
}

/** Allowed in a session without the second step that its hospital requires: the own account, in which the person enrols. */
const WITHOUT_SECOND_STEP: readonly Permission[] = ["self:read", "self:write", "factor:read", "factor:manage"];

export const isAllowedWithoutSecondStep = (permission: Permission): boolean => WITHOUT_SECOND_STEP.includes(permission);

/** What concerns a restricted record as a whole, beside the person's own reads (access.ts). */
const DESPITE_RESTRICTION: readonly Permission[] = ["erasure:create", "patient_hold:manage", "guardianship:update"];

export const isAllowedDespiteRestriction = (permission: Permission): boolean => DESPITE_RESTRICTION.includes(permission);

/** `sign_in`: by any method; `second_step`: the sign-in had a second step. Both within RECENT_SIGN_IN_MS (sign-in.ts). */
export type StepUp = "sign_in" | "second_step";

/** Permissions that need a recent sign-in, so that a stolen or unattended session does not suffice. */
const STEP_UPS: Partial<Record<Permission, StepUp>> = {
  "factor:manage": "sign_in",
  "factor_policy:manage": "sign_in",
  "factor:reset": "second_step",
  "api_key:manage": "sign_in",
  "webhook:include_data": "sign_in",
  "record:export": "sign_in",
  "patient:merge": "sign_in",
  "erasure:create": "sign_in",
  "erasure:manage": "second_step",
  "erasure:apply": "second_step",
};

export const stepUpOf = (permission: Permission): StepUp | undefined => STEP_UPS[permission];
