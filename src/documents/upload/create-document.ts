// Uploads of new documents.
import { and, eq, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { selectFileRoom } from "../../access/file-quota.ts";
import { type Access, withPatient } from "../../access/patient-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { type IdempotencyKey, resolveReplay, selectIdempotencyKey } from "../../http/idempotency.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { documents } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { isQuotaError } from "../../platform/storage-quotas.ts";
import { DOCUMENT_TYPE_NAMES } from "../document-types.ts";
import { denyHidden, selectDocuments, toDocument } from "../reading/document.ts";
import {
  answerWithStored,
  beginUpload,
  checkContent,
  insertVersionStatements,
  readAllowed,
  readDate,
  selectReplayed,
  storeDocumentFile,
  type Upload,
  type UploadResult,
} from "./new-version.ts";
import type { DocumentFields, DocumentForm } from "./read-form.ts";

type NewUpload = Upload<DocumentFields>;

/**
 * Stores a document. A file that the patient already has is not stored again, unless it was marked as entered in error.
 * @param read reads the form
 * @throws ApiError not_found (a patient the caller may not write for), unsupported_document, invalid_request, quota_exceeded,
 * idempotency_key_reused
 */
export async function createDocument(
  call: Call,
  bucket: R2Bucket,
  idempotencyKey: IdempotencyKey,
  read: () => Promise<DocumentForm<DocumentFields>>,
): Promise<UploadResult> {
  const upload = await beginUpload(call, bucket, idempotencyKey, await readAllowed(call, read));
  const { access, room, answer } = await findPrior(upload);
  if (answer) return answer;
  const { fields, file } = upload;
  const contentType = await checkContent(upload, access, room);
  const dateAt = (await readDate(call, fields.date, access.hospitalId)) ?? call.now;
  const id = uuidv7();
  const fileKey = await storeDocumentFile(upload, id);
  const { title = DOCUMENT_TYPE_NAMES[fields.type], author = null, type: typeCode } = fields;
  const first = { id, seriesId: id, seriesVersion: 1, previousId: null, fileKey, contentType, typeCode, dateAt, title, author };
  const { row, statements } = await insertVersionStatements(upload, access, first, isNewFile(access, upload.sha256));
  try {
    await batch(call.db, statements);
  } catch (error) {
    const isLost = isConditionFailed(error, "documents.id") || isUniqueViolation(error, "idempotency_keys");
    // Only these errors prove that nothing was written. After others a row may exist that names the file.
    if (isLost || isQuotaError(error)) await bucket.delete(fileKey);
    if (!isLost) throw error;
    // A concurrent upload of the same file or key was committed first, or the access has ended.
    const { answer: other } = await findPrior({ ...upload, file });
    if (!other) throw new ApiError("unavailable");
    return other;
  }
  return { status: 201, document: { ...(await toDocument(call, row)), duplicate_of: null } };
}

const isSameFile = (patientId: string, sha256: string) =>
  sql`documents.sha256 = ${sha256} AND documents.patient_id = ${patientId} AND documents.status <> 'entered-in-error'`;
const isNewFile = ({ patient }: Access, sha256: string) =>
  sql`NOT EXISTS (SELECT 1 FROM documents WHERE ${isSameFile(patient.id, sha256)})`;

/**
 * Checks access to the patient, and answers for a request that was answered before and for a file that the patient has.
 * @throws ApiError not_found, idempotency_key_reused
 */
async function findPrior(upload: NewUpload): Promise<{ access: Access; room: number; answer: UploadResult | null }> {
  const { call, fields, idempotencyKey, bodyHash, sha256 } = upload;
  const target = fields.patient_id === undefined ? OWN_RECORD : { patient: fields.patient_id };
  const { access, results } = await withPatient(call, target, "document:create", (patientId) => [
    selectIdempotencyKey(call, idempotencyKey),
    selectReplayed(call, idempotencyKey),
    selectDocuments(
      call,
      and(eq(documents.sha256, sha256), sql`documents.patient_id = ${patientId}`, sql`documents.status <> 'entered-in-error'`),
    ).limit(1),
    selectFileRoom(call),
  ]);
  const [[key], [replayed], [same], [day]] = results;
  const replay = idempotencyKey ? resolveReplay(key, bodyHash, call.now) : null;
  const known = replay ? replayed : same;
  if (!known) return { access, room: day?.room ?? 0, answer: null };
  await denyHidden(call, access, known, "document:create");
  const status = replay?.status === 201 ? 201 : 200;
  const document = await answerWithStored(upload, access, known, !replay);
  return { access, room: 0, answer: { status, document: { ...document, duplicate_of: status === 200 ? known.id : null } } };
}
