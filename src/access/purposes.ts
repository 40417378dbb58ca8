// Purpose of use of every audit event, as codes of HL7 v3 ActReason.
import type { Actor } from "./actor.ts";
import { ADMINISTRATION, type AuditEventName, OPERATIONS } from "./event-names.ts";
import { TREATMENT } from "./treatment-events.ts";

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

const PURPOSE_OF_EVENT: ReadonlyMap<string, Purpose> = new Map<AuditEventName, Purpose>([
  ...ADMINISTRATION.map((name) => [name, "HSYSADMIN"] as const),
  ...OPERATIONS.map((name) => [name, "HOPERAT"] as const),
  ...TREATMENT.map((name) => [name, "TREAT"] as const),
]);
export const AUDIT_EVENT_NAMES: readonly string[] = [...PURPOSE_OF_EVENT.keys()];

/** What `<thing>:<operation>` permissions govern apart from treatment, for refusals, whose event does not say what was refused. */
const PURPOSE_OF_PERMISSION: ReadonlyMap<string, Purpose> = new Map([
  ..."admin api_key audit calendar_feed care_settings delivery docs erasure hospital import_grant member patient_hold privacy_officer retention self storage user webhook"
    .split(" ")
    .map((name) => [name, "HSYSADMIN"] as const),
  ..."availability dashboard device emergency_access intake_link location notice_delay practitioner privacy_question privacy_review queue ward"
    .split(" ")
    .map((name) => [name, "HOPERAT"] as const),
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
