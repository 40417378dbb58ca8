// Purpose of use of every audit event, as codes of HL7 v3 ActReason.
import type { Actor } from "./actor.ts";

/** The code system of the purposes, as FHIR AuditEvent.purposeOfEvent names it. */
export const PURPOSE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/**
 * Purposes that an event can carry, with the system's display names. Source: HL7 Terminology (THO) 7.0, value set
 * http://terminology.hl7.org/ValueSet/v3-PurposeOfUse 3.1.0 (the codes below PurposeOfUse of the code system).
 */
export const PURPOSES = {
  TREAT: "treatment",
  PATRQT: "patient requested",
  HOPERAT: "healthcare operations",
  HSYSADMIN: "health system administration",
  /** Access in an emergency past the usual rights. */
  BTG: "break the glass",
  /** By a consent for this purpose. */
  PUBHLTH: "public health",
  HPAYMT: "healthcare payment",
  HRESCH: "healthcare research",
} as const;
export type Purpose = keyof typeof PURPOSES;

/** Accounts, sessions, API keys, hospitals, storage, and the audit log itself. */
const ADMINISTRATION = [
  "access.denied_summary",
  "access.summary",
  "admin.stats",
  "api_key.issue",
  "api_key.list",
  "api_key.read",
  "api_key.revoke",
  "api_key.rotate",
  "audit.checkpoint",
  "audit.export",
  "audit.proof",
  "audit.read",
  "audit.retention",
  "audit.verify",
  "bootstrap",
  "delivery.list",
  "delivery.resend",
  "factor.add",
  "factor.codes_replaced",
  "factor.enroll",
  "factor.remove",
  "factor.rename",
  "factor_policy.set",
  "hospital.create",
  "hospital.deactivate",
  "hospital.reactivate",
  "hospital.update",
  "import_grant.create",
  "import_grant.list",
  "import_grant.replay",
  "import_grant.revoke",
  "invitation.accept",
  "invitation.create",
  "invitation.list",
  "invitation.replay",
  "invitation.revoke",
  "legal_hold.end",
  "legal_hold.set",
  "login.failed",
  "login.locked",
  "login.second_step",
  "login.success",
  "member.end",
  "member.list",
  "member.set",
  "member.unreachable",
  "notification.read",
  "notification.test",
  "notification_preferences.update",
  "notification_settings.update",
  "push_subscription.create",
  "push_subscription.delete",
  "required_channels.update",
  "phone.delete",
  "phone.send_code",
  "phone.verify",
  "session.end",
  "session.logout",
  "session.refresh",
  "session.revoke",
  "session.revoke_all",
  "session.step_up",
  "session.switch",
  "session.token_reuse",
  "storage.read",
  "user.create",
  "user.deactivate",
  "user.email_change",
  "user.email_change_request",
  "user.email_verification",
  "user.email_verify",
  "user.factors_reset",
  "user.list",
  "user.password_change",
  "user.password_forgotten",
  "user.password_reset",
  "user.password_reset_link",
  "user.password_reset_replay",
  "user.read",
  "user.register",
  "user.replay",
  "user.unlock",
  "user.update",
  "webhook.create",
  "webhook.delete",
  "webhook.deliver",
  "webhook.deliveries",
  "webhook.disable",
  "webhook.enable",
  "webhook.list",
  "webhook.read",
  "webhook.resend",
  "webhook.rotate",
  "webhook.test",
  "webhook.update",
] as const;

/** The organization of care: wards, practitioners, devices in stock, duplicate records and counts. */
const OPERATIONS = [
  "credential.issue",
  "credential.list",
  "credential.read",
  "credential.revoke",
  "device.create",
  "device.delete",
  "device.list",
  "device.read",
  "device.update",
  "observation.stats",
  "patient.duplicates",
  "practitioner.create",
  "practitioner.delete",
  "practitioner.list",
  "practitioner.read",
  "practitioner.update",
  "report.stats",
  "ward.create",
  "ward.delete",
  "ward.list",
  "ward.read",
  "ward.update",
  "ward_staff.read",
  "ward_staff.update",
] as const;

const TREATMENT = [
  "access.denied",
  "alert.acknowledge",
  "alert.acknowledge_begin",
  "alert.assign",
  "alert.assign_begin",
  "alert.comment",
  "alert.list",
  "alert.read",
  "alert.resolve",
  "alert.resolve_begin",
  "alert.snooze",
  "alert.snooze_begin",
  "alert_rule.delete",
  "alert_rule.list",
  "alert_rule.preview",
  "alert_rule.read",
  "alert_rule.update",
  "care_team.join",
  "care_team.leave",
  "care_team.read",
  "claim_code.issue",
  "claim_code.list",
  "device.assign",
  "device.assignment.list",
  "device.assignment.read",
  "device.claim",
  "device.unassign",
  "device_claim_code.issue",
  "document.create",
  "document.download",
  "document.duplicate",
  "document.entered_in_error",
  "document.link",
  "document.list",
  "document.read",
  "document.refuse",
  "document.replace",
  "document.replay",
  "escalation.delete",
  "escalation.read",
  "escalation.update",
  "intake.read",
  "intake.record",
  "live.open",
  "live.ticket",
  "live.view",
  "monitoring.read",
  "monitoring.update",
  "notification.list",
  "observation.amend",
  "observation.amend_begin",
  "observation.create",
  "observation.create_begin",
  "observation.discard",
  "observation.file",
  "observation.file_begin",
  "observation.held",
  "observation.hold",
  "observation.ingest",
  "observation.read",
  "observation_pause.update",
  "observation_pause.update_begin",
  "observation_set.create",
  "observation_set.create_begin",
  "observation_set.replay",
  "patient.changes",
  "patient.claim",
  "patient.create",
  "patient.delete",
  "patient.links",
  "patient.list",
  "patient.read",
  "patient.search",
  "patient.summary",
  "patient.unlink",
  "patient.update",
  "report.changes",
  "report.correct",
  "report.create",
  "report.download",
  "report.duplicate",
  "report.entered_in_error",
  "report.list",
  "report.move",
  "report.moved_in",
  "report.moved_list",
  "report.moved_out",
  "report.quarantine",
  "report.read",
  "report.refuse",
  "report.replay",
  "report.restored",
  "upload.assign",
  "upload.begin",
  "upload.discard",
  "upload.discard_begin",
  "upload.download",
  "upload.list",
  "upload.quarantine",
  "upload.read",
  "upload.replay",
  "upload.settle",
  "ward.board",
  "ward.observations_due",
  "ward.trends",
] as const;

export type AuditEventName = (typeof ADMINISTRATION | typeof OPERATIONS | typeof TREATMENT)[number];

const PURPOSE_OF_EVENT: ReadonlyMap<string, Purpose> = new Map<AuditEventName, Purpose>([
  ...ADMINISTRATION.map((name) => [name, "HSYSADMIN"] as const),
  ...OPERATIONS.map((name) => [name, "HOPERAT"] as const),
  ...TREATMENT.map((name) => [name, "TREAT"] as const),
]);
export const AUDIT_EVENT_NAMES: readonly string[] = [...PURPOSE_OF_EVENT.keys()];

/** What `<thing>:<operation>` permissions govern apart from treatment, for refusals, whose event does not say what was refused. */
const PURPOSE_OF_PERMISSION: ReadonlyMap<string, Purpose> = new Map([
  ..."admin api_key audit delivery docs hospital import_grant member self storage user webhook"
    .split(" ")
    .map((name) => [name, "HSYSADMIN"] as const),
  ..."device practitioner ward".split(" ").map((name) => [name, "HOPERAT"] as const),
]);

/** The fields of an audit event (audit-event.ts) that decide its purpose. */
type Access = {
  event: string;
  role?: string;
  basis?: string;
  purpose?: Purpose;
  detail?: Record<string, unknown>;
};

/**
 * Why an access happened: what the event says, for example the purpose of a consent or an emergency. Else patient requested for a
 * patient's own access, and administration for platform administrators and the service itself; else by the event's name. The
 * purpose of a refusal depends on role and permission alone, since it must not tell whether a record exists.
 */
export function purposeOf({ kind }: Pick<Actor, "kind">, { event, basis, role, purpose, detail }: Access): Purpose {
  if (purpose !== undefined) return purpose;
  if (kind === "user" && (basis === "self" || role === "patient")) return "PATRQT";
  if (kind === "system" || role === "admin") return "HSYSADMIN";
  const [refused = ""] = event === "access.denied" ? String(detail?.["action"] ?? "").split(":") : [];
  return PURPOSE_OF_PERMISSION.get(refused) ?? PURPOSE_OF_EVENT.get(event) ?? "TREAT";
}
