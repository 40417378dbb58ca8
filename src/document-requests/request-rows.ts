// Document requests as the API shows them, and who may see which: the person, the hospital that asks, and the asked one once the person has consented.
import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { getActorId, type UserCall, type UserEffectiveRole } from "../access/actor.ts";
import { patientVisibility } from "../access/visibility.ts";
import { selectRecordsOf } from "../consents/persons.ts";
import { toDocumentType } from "../documents/document-types.ts";
import type { Keys } from "../platform/config.ts";
import { sealValue } from "../platform/crypto.ts";
import type { documentRequests } from "../platform/db/schema.ts";
import type { CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { nullIfCorrupt, readSealed } from "../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";
import { type RequestState, selectState } from "./states.ts";

export type RequestRow = typeof documentRequests.$inferSelect & {
  state: RequestState;
  /** 1 while the consent is granted and not expired. */
  isOpen: number;
  /** Who decided about the consent, once it was granted or denied. */
  decidedBy: string | null;
  /** Of the consent. Times in Unix ms. */
  purpose: (typeof CONSENT_PURPOSES)[number];
  decidedAt: number | null;
  accessUntil: number;
  requesterName: string;
  askedName: string | null;
  /** JSON arrays of ids: records that the person shares, those of them that the caller sees, and documents that fulfil the request. */
  shared: string;
  visible: string;
  documents: string;
};

/** The tables of a request: `q`, its consent `c`. */
export const REQUESTS = sql`document_requests q JOIN consents c ON c.id = q.consent_id`;

/** Records `r.patient_id` that the person shares under the request `q`, and that the caller may see. */
export const selectSharedRecords = (effectiveRole: UserEffectiveRole, { actor }: UserCall): SQL => sql`SELECT r.patient_id
  FROM consent_records r JOIN patients p ON p.id = r.patient_id WHERE r.consent_id = q.consent_id
    AND (${patientVisibility(effectiveRole, actor, sql`r.patient_id`, sql`p.hospital_id`)})`;

export const selectColumns = (
  effectiveRole: UserEffectiveRole,
  call: UserCall,
): SQL => sql`q.id AS id, q.hospital_id AS hospitalId, q.patient_id AS patientId,
  q.consent_id AS consentId, q.asked_hospital_id AS askedHospitalId, q.status AS status, q.description_sealed AS descriptionSealed,
  q.type_code AS typeCode, q.date_from AS dateFrom, q.date_to AS dateTo, q.reason_sealed AS reasonSealed,
  q.requested_by AS requestedBy, q.answered_by AS answeredBy, q.answered_at AS answeredAt, q.ended_by AS endedBy, q.ended_at AS endedAt,
  q.expires_at AS expiresAt, q.created_at AS createdAt, q.updated_at AS updatedAt, q.version AS version, ${selectState(call.now)} AS state,
  (c.status = 'granted' AND c.expires_at > ${call.now}) AS isOpen, c.decided_by AS decidedBy,
  c.purpose AS purpose, c.decided_at AS decidedAt, c.expires_at AS accessUntil,
  (SELECT h.name FROM hospitals h WHERE h.id = q.hospital_id) AS requesterName,
  (SELECT h.name FROM hospitals h WHERE h.id = q.asked_hospital_id) AS askedName,
  (SELECT json_group_array(r.patient_id) FROM consent_records r WHERE r.consent_id = q.consent_id) AS shared,
  (SELECT json_group_array(v.patient_id) FROM (${selectSharedRecords(effectiveRole, call)}) v) AS visible,
  (SELECT json_group_array(d.document_id) FROM consent_documents d WHERE d.consent_id = q.consent_id) AS documents`;

/** Requests of the caller's hospital for patients whom the caller sees. */
export const isOutgoing = (effectiveRole: UserEffectiveRole, { actor }: UserCall): SQL =>
  sql`(${patientVisibility(effectiveRole, actor, sql`q.patient_id`, sql`q.hospital_id`)})`;

/** Requests to the caller's hospital, about a shared record that the caller sees: none is shared before the person has consented. */
export const isIncoming = (effectiveRole: UserEffectiveRole, call: UserCall): SQL =>
  sql`(q.asked_hospital_id = ${effectiveRole.hospitalId} AND EXISTS (${selectSharedRecords(effectiveRole, call)}))`;

/** Rows `q` that the caller may see. */
export function isVisible(effectiveRole: UserEffectiveRole, call: UserCall): SQL {
  if (effectiveRole.role === "patient") return sql`q.patient_id IN (${selectRecordsOf(getActorId(call.actor), call.now)})`;
  return sql`(${isOutgoing(effectiveRole, call)} OR ${isIncoming(effectiveRole, call)})`;
}

/** Null for a person. */
export const directionOf = ({ role, hospitalId }: UserEffectiveRole, row: RequestRow): "in" | "out" | null => {
  if (role === "patient") return null;
  return role === "admin" || row.hospitalId === hospitalId ? "out" : "in";
};

type Sealed = "description" | "reason";
const sealContext = (column: Sealed, id: string) => ({ table: "document_requests", column, id });
export const sealText = ({ fields }: Keys, column: Sealed, id: string, text: string): Promise<string> =>
  sealValue(fields, sealContext(column, id), text);

const Text = z.string();
const readText = ({ fields }: Keys, column: Sealed, { id }: RequestRow, sealed: string | null, onCorrupt?: () => void) =>
  sealed === null ? null : nullIfCorrupt(readSealed(fields, sealContext(column, id), sealed, Text), onCorrupt);

/** @param onCorrupt called per value that cannot be decrypted, which becomes null; without it such a value is an error */
export async function toDocumentRequest(keys: Keys, row: RequestRow, viewer: UserEffectiveRole, onCorrupt?: () => void) {
  const direction = directionOf(viewer, row);
  const [description, reason] = await Promise.all([
    readText(keys, "description", row, row.descriptionSealed, onCorrupt),
    readText(keys, "reason", row, row.reasonSealed, onCorrupt),
  ]);
  // The hospital that asks sees what is shared while the consent lives.
  const isShown = direction !== "out" || row.isOpen === 1;
  return {
    document_request_id: row.id,
    status: row.state,
    direction,
    requesting_hospital: { hospital_id: row.hospitalId, name: row.requesterName },
    hospital: row.askedHospitalId === null ? null : { hospital_id: row.askedHospitalId, name: row.askedName ?? "" },
    patient_id: direction === "in" ? null : row.patientId,
    shared_patient_ids: isShown ? parseIds(direction === "in" ? row.visible : row.shared) : [],
    consent_id: row.consentId,
    purpose: row.purpose,
    description,
    type: row.typeCode === null ? null : toDocumentType(row.typeCode),
    date_from: toIsoOrNull(row.dateFrom),
    date_to: toIsoOrNull(row.dateTo),
    reason,
    document_ids: isShown ? parseIds(row.documents) : [],
    requested_by: row.requestedBy,
    decided_at: toIsoOrNull(row.decidedAt),
    answered_by: row.answeredBy,
    answered_at: toIsoOrNull(row.answeredAt),
    ended_by: row.endedBy,
    ended_at: toIsoOrNull(row.endedAt),
    expires_at: toIso(row.expiresAt),
    access_until: toIso(row.accessUntil),
    is_readable: row.state === "fulfilled" && row.isOpen === 1,
    created_at: toIso(row.createdAt),
    version: row.version,
  };
}

export const parseIds = (json: string): string[] => JSON.parse(json);
