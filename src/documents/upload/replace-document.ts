// Uploads of a new version of a document, which replaces the current one.
import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { type Call, getActorId } from "../../access/actor.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { selectFileRoom } from "../../access/file-quota.ts";
import { type Access, withPatient } from "../../access/patient-access.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { type IdempotencyKey, resolveReplay, selectIdempotencyKey } from "../../http/idempotency.ts";
import { batch, isConditionFailed, isUniqueViolation } from "../../platform/db/client.ts";
import { ROW_LIMITS } from "../../platform/db/row-limits.ts";
import { documents } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { isQuotaError } from "../../platform/storage-quotas.ts";
import { type DocumentRow, denyHidden, documentEvent, sealContext, selectDocuments, toDocument } from "../reading/document.ts";
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
import type { DocumentForm, VersionFields } from "./read-form.ts";

type VersionUpload = Upload<VersionFields>;
type Prior = { access: Access; row: DocumentRow; room: number; answer: UploadResult | null };

/**
 * Stores a new version and makes the current one superseded, in one batch; of several at once one succeeds.
 * @param id of the current version  @param read reads the form
 * @throws ApiError not_found, forbidden (a patient replaces only what they have uploaded), precondition_failed, conflict (not the current
 * version), limit_reached, unsupported_document, invalid_request, quota_exceeded, idempotency_key_reused
 */
export async function replaceDocument(
  call: Call,
  bucket: R2Bucket,
  idempotencyKey: IdempotencyKey,
  id: string,
  expected: ExpectedVersion,
  read: () => Promise<DocumentForm<VersionFields>>,
): Promise<UploadResult> {
  const upload = await beginUpload(call, bucket, idempotencyKey, await readAllowed(call, read), id);
  const { access, row: current, room, answer } = await findPrior(upload, id);
  if (answer) return answer;
  const same = await checkCurrent(upload, access, current, expected);
  if (same) return same;
  const contentType = await checkContent(upload, access, room);
  const next = { ...(await toNextVersion(upload, access, current)), contentType };
  const fileKey = await storeDocumentFile(upload, next.id);
  const version = { ...next, fileKey };
  // `changes()`: the statement before it, which supersedes the current version.
  const { row, statements } = await insertVersionStatements(upload, access, version, sql`changes() > 0`);
  try {
    await batch(call.db, [supersede(call, current), ...statements]);
  } catch (error) {
    const isLost = isConditionFailed(error, "documents.id") || isUniqueViolation(error, "idempotency_keys");
    // Only these errors prove that nothing was written. After others a row may exist that names the file.
    if (isLost || isQuotaError(error)) await bucket.delete(fileKey);
    if (!isLost) throw error;
    // The access has ended, a request with the same key was first, or another version was.
    const { answer: other } = await findPrior(upload, id);
    return other ?? failStale(call, access, id);
  }
  return { status: 201, document: { ...(await toDocument(call, row)), duplicate_of: null } };
}

/** Changes no row if the version is no longer the one that was read. */
function supersede({ db, now }: Call, { id, version }: DocumentRow) {
  return db
    .update(documents)
    .set({ status: "superseded", version: version + 1, updatedAt: now })
    .where(and(eq(documents.id, id), eq(documents.version, version), eq(documents.status, "current")));
}

/** Checks access, and answers a request that was answered before. @throws ApiError not_found, forbidden, idempotency_key_reused */
async function findPrior(upload: VersionUpload, id: string): Promise<Prior> {
  const { call, idempotencyKey, bodyHash } = upload;
  const { access, results } = await withPatient(call, { document: id }, "document:create", () => [
    selectDocuments(call, eq(documents.id, id)),
    selectIdempotencyKey(call, idempotencyKey),
    selectReplayed(call, idempotencyKey),
    selectFileRoom(call),
  ]);
  const [[row], [key], [replayed], [day]] = results;
  if (!row) throw new ApiError("not_found");
  await denyHidden(call, access, row, "document:create");
  const { role, hospitalId, patient } = access;
  if (access.basis === "self" && row.uploadedBy !== getActorId(call.actor)) {
    const facts = { role, hospitalId, target: { document: id }, patientId: patient.id };
    return denyAccess(call, "document:create", "forbidden", facts);
  }
  const replay = idempotencyKey ? resolveReplay(key, bodyHash, call.now) : null;
  const room = day?.room ?? 0;
  if (!replay || !replayed) return { access, row, room, answer: null };
  await denyHidden(call, access, replayed, "document:create");
  const document = await answerWithStored(upload, access, replayed, false);
  const answer =
    replay.status === 201
      ? ({ status: 201, document } as const)
      : ({ status: 200, document: { ...document, duplicate_of: replayed.id } } as const);
  return { access, row, room, answer };
}

/** The answer for a file that is the current version already; else null. @throws ApiError precondition_failed, conflict, limit_reached */
async function checkCurrent(upload: VersionUpload, access: Access, row: DocumentRow, expected: ExpectedVersion) {
  const { call, sha256 } = upload;
  if (matchVersion(expected, row.version) !== row.version) return failStale(call, access, row.id);
  const event = documentEvent(access, row.id, "document.replace", "C");
  if (row.status !== "current") return failWithAudit(call, "conflict", event, "Name the current version of the document.");
  if (row.sha256 === sha256) return { status: 200, document: await answerWithStored(upload, access, row, true) } as const;
  const { max, detail } = ROW_LIMITS.documentVersions;
  return row.seriesVersion >= max ? failWithAudit(call, "limit_reached", event, detail) : null;
}

/** @throws ApiError precondition_failed always */
const failStale = (call: Call, access: Access, id: string): Promise<never> =>
  failWithAudit(call, "precondition_failed", documentEvent(access, id, "document.replace", "C"));

/** The fields of the next version: those of the request, else those of the current one. */
async function toNextVersion({ call, fields }: VersionUpload, access: Access, row: DocumentRow) {
  const read = (column: "title" | "author", sealed: string) =>
    readSealed(call.keys.fields, sealContext(column, row.id), sealed, z.string());
  return {
    id: uuidv7(),
    seriesId: row.seriesId,
    seriesVersion: row.seriesVersion + 1,
    previousId: row.id,
    typeCode: fields.type ?? row.typeCode,
    dateAt: (await readDate(call, fields.date, access.hospitalId)) ?? row.dateAt,
    title: fields.title ?? (await read("title", row.titleSealed)),
    author: await nextAuthor(fields.author, async () => (row.authorSealed === null ? null : read("author", row.authorSealed))),
  };
}

/** An author that is absent stays as it was, and an empty one is cleared. */
async function nextAuthor(given: string | undefined, readFormer: () => Promise<string | null>): Promise<string | null> {
  if (given === undefined) return readFormer();
  return given === "" ? null : given;
}
