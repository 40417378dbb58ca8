// An audit event as a FHIR R4 AuditEvent resource (http://hl7.org/fhir/R4/auditevent.html).
import { PURPOSES } from "../access/purposes.ts";
import { UUID_PATTERN } from "../platform/ids.ts";
import type { ExportedEvent } from "./exported-event.ts";

type Coding = { system?: string; code: string; display?: string };
type CodeableConcept = { coding?: Coding[]; text?: string };
type Reference = { reference?: string; type?: string; identifier?: { system?: string; value: string }; display?: string };
type Entity = { what: Reference; type: Coding; role?: Coding; detail?: { type: string; valueString: string }[] };

export type FhirAuditEvent = {
  resourceType: "AuditEvent";
  id: string;
  type: Coding;
  subtype: Coding[];
  action: ExportedEvent["action"];
  recorded: string;
  outcome: "0" | "4" | "8";
  outcomeDesc?: string;
  purposeOfEvent?: CodeableConcept[];
  agent: {
    type?: CodeableConcept;
    role?: CodeableConcept[];
    who?: Reference;
    requestor: boolean;
    network?: { address: string; type: "2" };
  }[];
  source: { site?: string; observer: Reference; type: Coding[] };
  entity: Entity[];
};

const TERMINOLOGY = "http://terminology.hl7.org/CodeSystem";
const DICOM = "http://dicom.nema.org/resources/ontology/DCM";
/** IHE Basic Audit Log Patterns. */
const BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";

const REST: Coding = { system: `${TERMINOLOGY}/audit-event-type`, code: "rest", display: "RESTful Operation" };
const AUTHENTICATION: Coding = { system: DICOM, code: "110114", display: "User Authentication" };
const AUDIT_LOG_USED: Coding = { system: DICOM, code: "110101", display: "Audit Log Used" };
/** By the part of an event's name before the dot. */
const TYPE_BY_THING: Readonly<Record<string, Coding>> = {
  login: AUTHENTICATION,
  session: AUTHENTICATION,
  audit: AUDIT_LOG_USED,
};

const INTERACTION = { C: "create", R: "read", U: "update", D: "delete", E: "operation" } as const;
const OUTCOME = { success: "0", denied: "4", failed: "8" } as const;

const PERSON: Coding = { system: `${TERMINOLOGY}/audit-entity-type`, code: "1", display: "Person" };
const SYSTEM_OBJECT: Coding = { system: `${TERMINOLOGY}/audit-entity-type`, code: "2", display: "System Object" };
const PATIENT_ROLE: Coding = { system: `${TERMINOLOGY}/object-role`, code: "1", display: "Patient" };
const RESOURCE_ROLE: Coding = { system: `${TERMINOLOGY}/object-role`, code: "4", display: "Domain Resource" };
const APPLICATION_SERVER: Coding = { system: `${TERMINOLOGY}/security-source-type`, code: "4", display: "Application Server" };
const HUMAN: CodeableConcept = {
  coding: [{ system: `${TERMINOLOGY}/extra-security-role-type`, code: "humanuser", display: "human user" }],
};

/** Resources whose ids are those of our entities. */
const RESOURCE_BY_ENTITY: Readonly<Record<string, string>> = {
  patient: "Patient",
  report: "DiagnosticReport",
  document: "DocumentReference",
  device: "Device",
  hospital: "Organization",
  ward: "Location",
  practitioner: "Practitioner",
};

/** RFC 3986 names UUIDs as urn:uuid; other ids are only unique here. */
const toIdentifier = (value: string) =>
  UUID_PATTERN.test(value) ? { system: "urn:ietf:rfc:3986", value: `urn:uuid:${value}` } : { value };

/**
 * @param origin of the deployment, the namespace of its own codes
 * @returns a resource without names: ids, codes and counts only
 */
export function toFhirAuditEvent(event: ExportedEvent, origin: string): FhirAuditEvent {
  const [thing = ""] = event.event.split(".");
  return {
    resourceType: "AuditEvent",
    id: event.id,
    type: TYPE_BY_THING[thing] ?? REST,
    subtype: [
      { system: "http://hl7.org/fhir/restful-interaction", code: INTERACTION[event.action] },
      { system: `${origin}/fhir/CodeSystem/audit-event`, code: event.event },
    ],
    action: event.action,
    recorded: event.recorded,
    outcome: OUTCOME[event.outcome],
    ...(event.reason ? { outcomeDesc: event.reason } : {}),
    ...(event.purpose ? { purposeOfEvent: [toPurpose(event.purpose)] } : {}),
    agent: [toAgent(event)],
    source: {
      ...(event.hospital_id ? { site: event.hospital_id } : {}),
      observer: { type: "Device", identifier: { value: origin }, display: "EdgeCare" },
      type: [APPLICATION_SERVER],
    },
    entity: toEntities(event),
  };
}

/** An OperationOutcome resource (http://hl7.org/fhir/R4/operationoutcome.html) for a list that ends before its last resource. */
export const toOperationOutcome = (diagnostics: string) => ({
  resourceType: "OperationOutcome",
  issue: [{ severity: "error", code: "too-costly", diagnostics }],
});

function toPurpose(purpose: string): CodeableConcept {
  const display = new Map<string, string>(Object.entries(PURPOSES)).get(purpose);
  return display ? { coding: [{ system: `${TERMINOLOGY}/v3-ActReason`, code: purpose, display }] } : { text: purpose };
}

function toAgent({ actor, ip }: ExportedEvent): FhirAuditEvent["agent"][number] {
  const isPerson = actor.kind === "user";
  const personType = actor.role === "patient" ? "Patient" : "Practitioner";
  return {
    ...(isPerson ? { type: HUMAN } : { type: { text: actor.kind } }),
    ...(actor.role ? { role: [{ text: actor.role }] } : {}),
    ...(actor.id ? { who: { type: isPerson ? personType : "Device", identifier: toIdentifier(actor.id) } } : {}),
    requestor: actor.kind !== "system",
    ...(ip ? { network: { address: ip, type: "2" } as const } : {}),
  };
}

function toEntities(event: ExportedEvent): Entity[] {
  const { entity } = event;
  const patientIds = new Set([...event.patient_ids, ...(entity?.type === "patient" ? [entity.id] : [])]);
  const patients = [...patientIds].map((id) => ({ what: { reference: `Patient/${id}` }, type: PERSON, role: PATIENT_ROLE }));
  const request = {
    what: { identifier: { value: event.request_id } },
    type: { system: BALP_ENTITY, code: "XrequestId" },
    ...toDetails({ basis: event.basis, ...event.detail }),
  };
  if (!entity || entity.type === "patient") return [...patients, request];
  const resource = RESOURCE_BY_ENTITY[entity.type];
  const what = resource
    ? { reference: `${resource}/${entity.id}` }
    : { identifier: toIdentifier(entity.id), display: entity.type };
  return [...patients, { what, type: SYSTEM_OBJECT, role: RESOURCE_ROLE }, request];
}

/** FHIR has no empty strings and no empty lists. */
function toDetails(values: Record<string, unknown>): Pick<Entity, "detail"> {
  const detail = Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([type, value]) => ({ type, valueString: typeof value === "string" ? value : JSON.stringify(value) }));
  return detail.length > 0 ? { detail } : {};
}
