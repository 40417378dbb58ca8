// Reading by consent: what a person shares with the caller's hospital now. It belongs to the hospital, for staff who may see the
// hospital's own record of the person, and each read checks kind, time and clock again.
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { CONSENT_KINDS, CONSENT_PURPOSES } from "../platform/db/vocabulary.ts";
import { type EffectiveRole, getActorId, type Principal } from "./actor.ts";
import type { AuditEvent } from "./audit-event.ts";
import type { Purpose } from "./purposes.ts";

export type ConsentKind = (typeof CONSENT_KINDS)[number];
type PurposeCode = (typeof CONSENT_PURPOSES)[number];

/** Times in Unix ms, both included. `documents`: of a document request, the ids of what it opens; null: no such limit. */
export type ConsentGrant = {
  id: string;
  kinds: readonly string[];
  from: number;
  until: number;
  purpose: PurposeCode;
  documents: readonly string[] | null;
};

/** The codes of ABDM's purposes as purposes of use of HL7 v3 (purposes.ts). */
export const PURPOSE_OF_USE: Readonly<Record<PurposeCode, Purpose>> = {
  CAREMGT: "TREAT",
  BTG: "BTG",
  PUBHLTH: "PUBHLTH",
  HPAYMT: "HPAYMT",
  DSRCH: "HRESCH",
  PATRQT: "PATRQT",
};

/** A consent `c` for one practitioner alone is for no colleague, and for nobody once their profile is no longer active. */
export const isForReader = (userId: SQL): SQL => sql`(c.practitioner_id IS NULL OR EXISTS (SELECT 1 FROM practitioners n
  WHERE n.id = c.practitioner_id AND n.user_id = ${userId} AND n.active = 1))`;

/** Live grants of the row `patients` to the hospital of the session, as JSON; NULL for a record of its own. Requires the tables of `activeSession`. */
export const selectGrants = (
  now: number,
): SQL => sql`CASE WHEN patients.hospital_id <> s.hospital_id THEN (SELECT json_group_array(json_array(c.id, c.kinds, c.data_from,
    c.data_until, c.purpose, json(iif(c.documents_only = 1, (SELECT json_group_array(d.document_id) FROM consent_documents d
      WHERE d.consent_id = c.id), NULL)))) FROM consent_records r JOIN consents c ON c.id = r.consent_id
    JOIN patients own ON own.id = c.patient_id AND own.hospital_id = c.hospital_id AND own.restricted_at IS NULL
  WHERE r.patient_id = patients.id AND c.hospital_id = s.hospital_id AND c.status = 'granted' AND c.expires_at > ${now}
    AND ${isForReader(sql`u.id`)} AND (m.role IN ('nurse', 'hospital_admin') OR (m.role = 'doctor' AND (h.doctor_scope = 'hospital' OR EXISTS (SELECT 1
      FROM care_team t WHERE t.patient_id = c.patient_id AND t.user_id = u.id AND t.ended_at IS NULL))))) END`;

export function parseGrants(json: string | null): ConsentGrant[] {
  const rows: [string, string, number, number, PurposeCode, string[] | null][] = JSON.parse(json ?? "[]");
  return rows.map(([id, kinds, from, until, purpose, documents]) => ({
    id,
    kinds: kinds.split(" "),
    from,
    until,
    purpose,
    documents,
  }));
}

/**
 * The part of a span (Unix ms, both included) that a grant of the kind covers, with the grant; of several parts the newest. Null where
 * none is covered.
 */
export function clampToGrants(grants: readonly ConsentGrant[], kind: ConsentKind, span: { from: number; to: number }) {
  const parts = grants
    .filter(({ kinds, documents }) => kinds.includes(kind) && documents === null)
    .map((grant) => ({ grant, from: Math.max(span.from, grant.from), to: Math.min(span.to, grant.until) }))
    .filter(({ from, to }) => from <= to);
  return parts.toSorted((a, b) => b.to - a.to)[0] ?? null;
}

/** A consent that opens a row of a list (`selectConsentOf`). Times in Unix ms; `until` is included, `expiresAt` is not. */
export type RowConsent = { consentId: string; purpose: PurposeCode; from: number; until: number; expiresAt: number };

export function parseRowConsent(json: string): RowConsent {
  const [consentId, purpose, from, until, expiresAt]: [string, PurposeCode, number, number, number] = JSON.parse(json);
  return { consentId, purpose, from, until, expiresAt };
}

/** `documentId`: the column that names a document, where the row is one. */
export type CoveredRow = { patientId: SQLWrapper; kind: SQL; at: SQLWrapper; documentId?: SQL };

/**
 * For lists of one record: the live consent that opens a row to the caller, as JSON (`parseRowConsent`), or NULL. Of several, the newest.
 * @param row the columns that name the record and the time that the data is from, and the kind of data
 */
export function selectConsentOf(
  { role, hospitalId, doctorScope }: EffectiveRole,
  actor: Principal,
  now: number,
  row: CoveredRow,
): SQL {
  if (role !== "nurse" && role !== "hospital_admin" && role !== "doctor") return sql`NULL`;
  const seesOwnRecord =
    role === "doctor" && doctorScope !== "hospital"
      ? sql`EXISTS (SELECT 1 FROM care_team t WHERE t.patient_id = c.patient_id AND t.user_id = ${getActorId(actor)}
          AND t.ended_at IS NULL)`
      : sql`1`;
  const isOpened = row.documentId
    ? sql`EXISTS (SELECT 1 FROM consent_documents d WHERE d.consent_id = c.id AND d.document_id = ${row.documentId})`
    : sql`0`;
  return sql`(SELECT json_array(c.id, c.purpose, c.data_from, c.data_until, c.expires_at)
    FROM consent_records r JOIN consents c ON c.id = r.consent_id
    JOIN patients own ON own.id = c.patient_id AND own.hospital_id = c.hospital_id AND own.restricted_at IS NULL
    JOIN patients held ON held.id = r.patient_id AND held.restricted_at IS NULL
    WHERE r.patient_id = ${row.patientId} AND c.hospital_id = ${hospitalId} AND c.status = 'granted' AND c.expires_at > ${now}
      AND ${row.at} BETWEEN c.data_from AND c.data_until AND instr(' ' || c.kinds || ' ', ' ' || ${row.kind} || ' ') > 0
      AND (c.documents_only = 0 OR ${isOpened}) AND ${isForReader(sql`${getActorId(actor)}`)} AND ${seesOwnRecord}
    ORDER BY c.created_at DESC LIMIT 1)`;
}

/** Whether the record is of another hospital than the caller's: only then a consent matters. */
export const isForeign = ({ hospitalId }: EffectiveRole, patientId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM patients f WHERE f.id = ${patientId} AND f.hospital_id <> ${hospitalId})`;

type GroundFields = Pick<AuditEvent, "basis" | "purpose" | "actorHospitalId" | "ground">;

/** What the event of a list says of rows that the role alone does not show. @param ground of `selectGroundOf` (emergency.ts) */
export function groundFields(ground: string | null | undefined, callerHospitalId: string | null): GroundFields {
  if (!ground) return {};
  const [id, purpose]: [string, PurposeCode | "emergency"] = JSON.parse(ground);
  const actorHospitalId = callerHospitalId;
  if (purpose === "emergency")
    return { basis: "emergency", purpose: "BTG", actorHospitalId, ground: { emergency_access_id: id } };
  return { basis: "consent", purpose: PURPOSE_OF_USE[purpose], actorHospitalId, ground: { consent_id: id } };
}

/** The first grant that covers data of a kind from a time (Unix ms). @param documentId where the data are a document */
export const findGrant = (
  grants: readonly ConsentGrant[],
  kind: ConsentKind,
  at: number,
  documentId?: string,
): ConsentGrant | undefined =>
  grants.find(
    ({ kinds, from, until, documents }) =>
      kinds.includes(kind) &&
      from <= at &&
      at <= until &&
      (documents === null || (documentId !== undefined && documents.includes(documentId))),
  );
