// What uploads of documents and of versions share: the lookup of replays, checks of the content, the file and the row.
import { createHash } from "node:crypto";
import { and, type SQL, sql } from "drizzle-orm";
import { withPrincipal } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { checkQuota } from "../../access/file-quota.ts";
import type { Access } from "../../access/patient-access.ts";
import { accessStillValid } from "../../access/still-valid.ts";
import { type IdempotencyKey, recordIdempotencyKey, resolveReplay, selectIdempotencyKey } from "../../http/idempotency.ts";
import { futureTimeError, requireClearTime, resolveMeasuredAt } from "../../http/measured-at.ts";
import { publishEvent } from "../../notifications/webhooks/publish.ts";
import { sealValue, sha256Hex } from "../../platform/crypto.ts";
import { batch, isUniqueViolation, type Statement } from "../../platform/db/client.ts";
import { documents } from "../../platform/db/schema.ts";
import { isAhead } from "../../platform/device-times.ts";
import { ApiError } from "../../platform/errors.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { type ContentType, detectContentType } from "../file-types/detect-type.ts";
import { type DocumentRow, documentEvent, fileRecordId, sealContext, selectDocuments, toDocument } from "../reading/document.ts";
import type { DocumentForm } from "./read-form.ts";

/** One upload in progress. `bodyHash` covers file and fields: an idempotency key is bound to it. */
export type Upload<F> = DocumentForm<F> & {
  call: Call;
  bucket: R2Bucket;
  idempotencyKey: IdempotencyKey;
  sha256: string;
  bodyHash: string;
};

export type UploadedDocument = Awaited<ReturnType<typeof toDocument>> & { duplicate_of: string | null };
/** `status`: 201 stored, now or by the request that this one repeats; 200: the patient has the file already. */
export type UploadResult = { status: 200 | 201; document: UploadedDocument };

/** @param target what the file is sent to, beside the fields: the document of which it is a version */
export async function beginUpload<F>(
  call: Call,
  bucket: R2Bucket,
  idempotencyKey: IdempotencyKey,
  form: DocumentForm<F>,
  target = "",
): Promise<Upload<F>> {
  const hash = createHash("sha256");
  for (const chunk of form.file.chunks) hash.update(chunk);
  const sha256 = hash.digest("hex");
  return {
    ...form,
    call,
    bucket,
    idempotencyKey,
    sha256,
    bodyHash: await sha256Hex(JSON.stringify([sha256, form.fields, target])),
  };
}

/**
 * Reads a request. One that is refused for its form is recorded, once the caller is known to be allowed to upload at all.
 * @throws ApiError unauthenticated, forbidden, and what `read` throws
 */
export async function readAllowed<T>(call: Call, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    const { effectiveRole } = await withPrincipal(call, "document:create", () => []);
    const { role, hospitalId } = effectiveRole;
    const event = { event: "document.refuse", action: "C", outcome: "failed", reason: error.code, role, hospitalId } as const;
    await batch(call.db, recordAuditEvent(call.db, call.actor, call.now, event));
    throw error;
  }
}

/** The document that the request with this idempotency key stored. */
export const selectReplayed = (call: Call, idempotencyKey: IdempotencyKey) =>
  selectDocuments(
    call,
    sql`documents.id = (SELECT k.resource_id FROM idempotency_keys k
      WHERE k.scope = ${idempotencyKey?.scope ?? ""} AND k.key_hash = ${idempotencyKey?.keyHash ?? ""})`,
  );

/** Records a request that stores nothing, and answers with the document that there is. @param isDuplicate false for a replay */
export async function answerWithStored<F>(
  { call, idempotencyKey, bodyHash }: Upload<F>,
  access: Access,
  row: DocumentRow,
  isDuplicate: boolean,
): Promise<UploadResult["document"]> {
  const { db, actor, now } = call;
  const event = documentEvent(access, row.id, isDuplicate ? "document.duplicate" : "document.replay", "R");
  const key = isDuplicate ? recordIdempotencyKey(call, idempotencyKey, bodyHash, { resourceId: row.id, status: 200 }) : [];
  await batch(db, [...key, ...recordAuditEvent(db, actor, now, event)]).catch(async (error: unknown) => {
    if (!isUniqueViolation(error, "idempotency_keys")) throw error;
    // A request with the same key was answered meanwhile: alike, unless it was another request.
    resolveReplay((await selectIdempotencyKey(call, idempotencyKey))[0], bodyHash, now);
    await batch(db, recordAuditEvent(db, actor, now, event));
  });
  return { ...(await toDocument(call, row)), duplicate_of: isDuplicate ? row.id : null };
}

/** @param room bytes of files that the caller may still store today  @throws ApiError unsupported_document, quota_exceeded */
export async function checkContent<F>({ call, file }: Upload<F>, access: Access, room: number): Promise<ContentType> {
  const contentType = detectContentType(file);
  if (contentType === null) {
    const { role, basis, hospitalId, patient } = access;
    const event = { event: "document.refuse", action: "C", role, basis, hospitalId, subjects: [patient.id] } as const;
    return failWithAudit(call, "unsupported_document", event);
  }
  checkQuota(call, room, file.size);
  return contentType;
}

/** @returns Unix ms, or null without a date  @throws ApiError invalid_request for one that is unclear or in the future */
export async function readDate(call: Call, date: string | undefined, hospitalId: string): Promise<number | null> {
  const at = requireClearTime(await resolveMeasuredAt(call, date, hospitalId), "date");
  if (isAhead(at, call.now)) throw futureTimeError("date");
  return at;
}

/** Stores the file before the row that names it. The sweep deletes it if the row is never written. @returns its key */
export async function storeDocumentFile<F>({ call, bucket, file }: Upload<F>, id: string): Promise<string> {
  const key = createObjectKey(call.keys.fields, call.now);
  await storeFile(bucket, call.keys.fields, key, fileRecordId(id), file, file.size);
  return key;
}

export type NewVersion = {
  id: string;
  seriesId: string;
  seriesVersion: number;
  /** The version that this one replaces. */
  previousId: string | null;
  typeCode: string;
  dateAt: number;
  title: string;
  author: string | null;
  fileKey: string;
  contentType: ContentType;
};

/**
 * The statements that insert a version with its idempotency key and audit event, and the row as it will be. The whole batch fails, with
 * `isConditionFailed(error, "documents.id")`, if `access` is no longer valid or `condition` does not hold.
 */
export async function insertVersionStatements<F>(
  upload: Upload<F>,
  access: Access,
  version: NewVersion,
  condition: SQL,
): Promise<{ row: DocumentRow; statements: Statement[] }> {
  const { call, file, fileName, sha256, idempotencyKey, bodyHash } = upload;
  const { db, keys, actor, now } = call;
  const { title, author, previousId, ...columns } = version;
  const { id } = version;
  const row: typeof documents.$inferSelect = {
    ...columns,
    patientId: access.patient.id,
    hospitalId: access.hospitalId,
    status: "current",
    titleSealed: await sealValue(keys.fields, sealContext("title", id), title),
    authorSealed: author === null ? null : await sealValue(keys.fields, sealContext("author", id), author),
    fileNameSealed: await sealValue(keys.fields, sealContext("file_name", id), fileName),
    fileSize: file.size,
    sha256,
    uploadedByKind: "user",
    uploadedBy: getActorId(actor),
    reasonSealed: null,
    endedBy: null,
    endedAt: null,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  // The clock is read here: the upload may have taken minutes since the request began.
  const isStillValid = accessStillValid(actor, access, Date.now());
  const event = documentEvent(access, id, previousId === null ? "document.create" : "document.replace", "C");
  const statements = [
    db.insert(documents).values({ ...row, id: sql`(SELECT ${id} WHERE ${and(condition, isStillValid)})` }),
    ...recordIdempotencyKey(call, idempotencyKey, bodyHash, { resourceId: id, status: 201 }),
    ...recordAuditEvent(db, actor, now, { ...event, storedFiles: { bytes: file.size } }),
    ...publishEvent(db, actor, now, {
      type: "document.created",
      hospitalId: access.hospitalId,
      refs: { document_id: id, patient_id: access.patient.id },
    }),
  ];
  return { row: { ...row, previousId }, statements };
}
