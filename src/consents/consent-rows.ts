// Rows of consents as the API shows them, and the version that each change leaves behind.
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../access/actor.ts";
import type { ConsentKind } from "../access/consented.ts";
import { unsealProfile } from "../access/profile.ts";
import type { Keys } from "../platform/config.ts";
import { sealValue, unsealValue } from "../platform/crypto.ts";
import type { Db, Statement } from "../platform/db/client.ts";
import type { consents } from "../platform/db/schema.ts";
import { ApiError } from "../platform/errors.ts";
import { toIso, toIsoOrNull } from "../platform/time.ts";
import type { ConsentScope } from "./scope.ts";
import { stateAt } from "./states.ts";

export type ConsentRow = typeof consents.$inferSelect & {
  /** JSON array of the shared records' ids. */
  shared: string;
  /** 0: for a practitioner who is not the reader. */
  isForReader?: number;
  /** The document request that the consent is for. */
  documentRequestId: string | null;
  hospitalName: string;
  /** Null: nobody asked. */
  requesterProfile: string | null;
  /** JSON array of the shared records as `SharedRecord`. */
  sharedRecords: string;
};

/** A shared record with the hospital that holds it. */
type SharedRecord = { patient_id: string; hospital_id: string; hospital_name: string };

export const CONSENT_COLUMNS = sql`c.id AS id, c.hospital_id AS hospitalId, c.patient_id AS patientId, c.status AS status,
  c.purpose AS purpose, c.kinds AS kinds, c.data_from AS dataFrom, c.data_until AS dataUntil, c.answer_until AS answerUntil,
  c.expires_at AS expiresAt, c.erase_at AS eraseAt, c.reason_sealed AS reasonSealed, c.practitioner_id AS practitionerId,
  c.documents_only AS documentsOnly, c.requested_by AS requestedBy, c.decided_by AS decidedBy, c.decided_at AS decidedAt,
  c.ended_at AS endedAt, c.erased_at AS erasedAt, c.created_at AS createdAt, c.updated_at AS updatedAt, c.version AS version,
  (SELECT q.id FROM document_requests q WHERE q.consent_id = c.id) AS documentRequestId,
  (SELECT json_group_array(r.patient_id) FROM consent_records r WHERE r.consent_id = c.id) AS shared,
  (SELECT h.name FROM hospitals h WHERE h.id = c.hospital_id) AS hospitalName,
  (SELECT u.profile_sealed FROM users u WHERE u.id = c.requested_by) AS requesterProfile,
  (SELECT json_group_array(json_object('patient_id', p.id, 'hospital_id', h.id, 'hospital_name', h.name))
    FROM consent_records r JOIN patients p ON p.id = r.patient_id JOIN hospitals h ON h.id = p.hospital_id
    WHERE r.consent_id = c.id) AS sharedRecords`;

const reasonContext = (id: string) => ({ table: "consents", column: "reason", id });
export const sealReason = (keys: Keys, id: string, reason: string): Promise<string> =>
  sealValue(keys.fields, reasonContext(id), reason);

export const toScope = (row: ConsentRow): ConsentScope => ({
  kinds: row.kinds.split(" ") as ConsentKind[],
  dataFrom: row.dataFrom,
  dataUntil: row.dataUntil,
  expiresAt: row.expiresAt,
  eraseAt: row.eraseAt,
});

/** @param isPerson the person sees which records are shared; the hospital that asks learns of them only by what it may read */
export async function toConsent(keys: Keys, row: ConsentRow, now: number, isPerson: boolean) {
  const { id, reasonSealed, requestedBy, requesterProfile } = row;
  const status = stateAt(row, now);
  const shared: SharedRecord[] = JSON.parse(row.sharedRecords);
  const requester =
    requestedBy !== null && requesterProfile !== null
      ? await unsealProfile(keys, { id: requestedBy, profileSealed: requesterProfile })
      : null;
  return {
    consent_id: id,
    status,
    hospital_id: row.hospitalId,
    hospital_name: row.hospitalName,
    patient_id: row.patientId,
    purpose: row.purpose,
    kinds: [...toScope(row).kinds],
    data_from: toIso(row.dataFrom),
    data_until: toIso(row.dataUntil),
    access_mode: "VIEW" as const,
    expires_at: toIso(row.expiresAt),
    erase_at: toIso(row.eraseAt),
    answer_until: toIso(row.answerUntil),
    reason: reasonSealed === null ? null : String(await unsealValue(keys.fields, reasonContext(id), reasonSealed)),
    practitioner_id: row.practitionerId,
    requested_by: requestedBy,
    requested_by_name: requester?.full_name ?? null,
    document_request_id: row.documentRequestId,
    shared: isPerson || (status === "granted" && row.isForReader !== 0) ? shared : [],
    decided_at: toIsoOrNull(row.decidedAt),
    ended_at: toIsoOrNull(row.endedAt),
    erased_at: toIsoOrNull(row.erasedAt),
    created_at: toIso(row.createdAt),
    version: row.version,
  };
}

type Reader = Pick<Call, "db" | "keys" | "now">;

export const selectConsent = (db: Db, id: string) =>
  db.all<ConsentRow>(sql`SELECT ${CONSENT_COLUMNS} FROM consents c WHERE c.id = ${id}`);

/** A consent that the caller has created before. @throws ApiError not_found */
export async function readCreated(reader: Reader, id: string, isPerson: boolean) {
  return toCreated(reader, [await selectConsent(reader.db, id)], isPerson);
}

/** The consent of a batch that ends with `selectConsent`. @throws ApiError not_found */
export function toCreated({ keys, now }: Reader, results: readonly unknown[], isPerson: boolean) {
  const [row] = results.at(-1) as ConsentRow[];
  if (!row) throw new ApiError("not_found");
  return toConsent(keys, row, now, isPerson);
}

/** The statement that keeps a consent as it stands now. Put it behind the change. @param when whether the change took place */
export const keepVersion = (db: Db, id: string, changedBy: string | null, now: number, when: SQL): Statement =>
  db.run(sql`INSERT INTO consent_versions (consent_id, version, artefact, changed_by, changed_at)
    SELECT c.id, c.version, json_object('status', c.status, 'purpose', c.purpose, 'kinds', c.kinds, 'data_from', c.data_from,
      'data_until', c.data_until, 'expires_at', c.expires_at, 'erase_at', c.erase_at, 'access_mode', 'VIEW',
      'documents_only', c.documents_only, 'hospital_id', c.hospital_id, 'patient_id', c.patient_id,
      'practitioner_id', c.practitioner_id,
      'shared', json((SELECT json_group_array(r.patient_id) FROM consent_records r WHERE r.consent_id = c.id))),
      ${changedBy}, CAST(${now} AS INTEGER) FROM consents c WHERE c.id = ${id} AND ${when} ON CONFLICT DO NOTHING`);
