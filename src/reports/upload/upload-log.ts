// The upload log: one row per attempt of an authenticated caller, with its outcome.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { withPrincipal } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { resolveDeviceAccess } from "../../access/device-access.ts";
import type { Access } from "../../access/patient-access.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { isRefusedRowKept } from "../../access/row-allowance.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { uploads } from "../../platform/db/schema.ts";
import type { UPLOAD_OUTCOMES } from "../../platform/db/vocabulary.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import type { QuarantineReason } from "./destination.ts";
import type { ReportKind } from "./metric-ranges.ts";
import { type ReportFields, StoredReportFields } from "./upload-request.ts";

export type UploadOutcome = (typeof UPLOAD_OUTCOMES)[number];

/** What is known about an attempt so far. Its log row has these values, whatever the outcome. */
export type UploadAttempt = {
  id: string;
  hospitalId: string | null;
  patientId: string | null;
  kind: ReportKind | null;
  fileName: string | null;
  sha256: string | null;
  size: number | null;
  /** False while no access check has run; `recordUploadFailure` then runs one before it logs a rejected request. */
  accessChecked: boolean;
};

/** Until access is checked, the hospital is the one in the caller's token. */
export function newUploadAttempt({ actor }: Call): UploadAttempt {
  const hospitalId = actor.kind === "user" ? actor.claimedRole.hospitalId : actor.kind === "app" ? actor.hospitalId : null;
  const unknown = { patientId: null, kind: null, fileName: null, sha256: null, size: null };
  return { id: uuidv7(), hospitalId, ...unknown, accessChecked: false };
}

/**
 * Checks that the caller may upload at all, for requests that fail before their patient is known.
 * @throws ApiError unauthenticated, forbidden
 */
export async function authorizeUploader(call: Call): Promise<{ role: Access["role"]; hospitalId: string | null }> {
  const { actor } = call;
  if (actor.kind !== "device") return (await withPrincipal(call, "report:create", () => [])).effectiveRole;
  const { hospitalId } = await resolveDeviceAccess(call, actor, OWN_RECORD, "report:create");
  return { role: "device", hospitalId };
}

/** Errors that the access check has already recorded. */
const ALREADY_AUDITED: readonly string[] = ["unauthenticated", "forbidden", "not_found"] satisfies ErrorCode[];

/** Logs a failed attempt; beyond the day's first hundred it is only counted. @throws ApiError unauthenticated or forbidden, if the caller may not upload at all */
export async function recordUploadFailure(call: Call, attempt: UploadAttempt, error: unknown): Promise<void> {
  const code = error instanceof ApiError ? error.code : "unavailable";
  if (code === "unauthenticated") return;
  const failed = !(error instanceof ApiError) || error.status >= 500;
  if (!attempt.accessChecked && !failed) attempt.hospitalId = (await authorizeUploader(call)).hospitalId;
  const log = { outcome: failed ? "failed" : "refused", reason: code, event: "report.refuse", action: "C" } as const;
  const statements = await uploadLogStatements(call, attempt, log);
  const { db, actor, now } = call;
  const dropRow = db.delete(uploads).where(sql`${uploads.id} = ${attempt.id} AND NOT ${isRefusedRowKept(actor, now)}`);
  const row = batch(db, [...(ALREADY_AUDITED.includes(code) ? statements.slice(0, 1) : statements), dropRow]);
  // After a storage failure this write may fail too; the caller must get the original error.
  await (failed ? row.catch(() => undefined) : row);
}

const NOT_REPEATED = { patientId: null, fileName: null, size: null, sha256: null };

type UploadLogEntry = {
  outcome: UploadOutcome;
  reason?: ErrorCode | QuarantineReason;
  reportId?: string | null;
  fileKey?: string;
  /** For direct uploads: the key of the expected file and the expiry of its URL, in Unix ms. */
  expected?: { incomingKey: string; expiresAt: number };
  /** Fields and metrics of a file that makes no report of its own, kept so that nothing is lost. */
  requestDetail?: { about: ReportFields; metrics: string | null; measured_at?: number | null };
  /** If this query finds a row, the whole batch fails with `isConditionFailed(error, "uploads.id")`. */
  unlessFound?: SQL;
  /** The upload that this one repeats. */
  repeats?: string;
  event: string;
  action: AuditEvent["action"];
  access?: Access | null;
  /** Bytes of files that the batch adds to object storage. */
  storedFiles?: AuditEvent["storedFiles"];
};

/** The statements for the log row and the audit event, in this order. */
export async function uploadLogStatements(call: Call, attempt: UploadAttempt, entry: UploadLogEntry): Promise<Statement[]> {
  const { db, actor, now } = call;
  const { access } = entry;
  const isDevice = actor.kind === "device";
  // The report of a stored file has the same patient, name, size and digest, and both rows stay for ever.
  const file = entry.outcome === "stored" ? NOT_REPEATED : attempt;
  const row = db.insert(uploads).values({
    id: entry.unlessFound ? sql`(SELECT ${attempt.id} WHERE NOT EXISTS (${entry.unlessFound}))` : attempt.id,
    actorKind: actor.kind === "device" || actor.kind === "app" ? actor.kind : "user",
    actorId: getActorId(actor),
    hospitalId: attempt.hospitalId,
    patientId: file.patientId,
    reportId: entry.reportId ?? null,
    kind: attempt.kind,
    outcome: entry.outcome,
    reason: entry.reason ?? null,
    detailSealed: await sealKnownDetail(call, attempt.id, {
      file_name: file.fileName,
      ...entry.requestDetail,
      ...(entry.storedFiles && actor.via.importGrant && { import_grant: actor.via.importGrant }),
    }),
    fileKey: entry.fileKey ?? null,
    incomingKey: entry.expected?.incomingKey ?? null,
    expiresAt: entry.expected?.expiresAt ?? null,
    fileSize: file.size,
    sha256: file.sha256,
    requestId: actor.via.requestId,
    createdAt: now,
  });
  const isFailure = entry.outcome === "refused" || entry.outcome === "failed";
  return [
    row,
    ...recordAuditEvent(db, actor, now, {
      event: entry.event,
      action: entry.action,
      outcome: isFailure ? "failed" : "success",
      ...(entry.reason && { reason: entry.reason }),
      ...(access && { role: access.role, basis: access.basis }),
      ...(entry.storedFiles && { storedFiles: entry.storedFiles }),
      ...(isDevice && { role: "device" }),
      hospitalId: attempt.hospitalId,
      entity: entry.reportId ? { type: "report", id: entry.reportId } : { type: "upload", id: attempt.id },
      subjects: attempt.patientId ? [attempt.patientId] : [],
      detail: { upload_id: attempt.id, ...(entry.repeats && { repeats: entry.repeats }) },
    }),
  ];
}

export type UploadRow = typeof uploads.$inferSelect;

/**
 * Changes an attempt if it still has the outcome that was read, and records the event only then. The first statement
 * returns the row's id, or no row if a concurrent request changed it first.
 */
export function settleUpload(call: Call, row: UploadRow, change: Partial<UploadRow>, event: AuditEvent) {
  const { db, actor, now } = call;
  return [changeUpload(call, row, change), ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` })] as const;
}

/** Changes an attempt if it still has the outcome that was read, and returns its id then. */
export const changeUpload = ({ db }: Call, row: UploadRow, change: Partial<UploadRow>) =>
  db
    .update(uploads)
    .set(change)
    .where(and(eq(uploads.id, row.id), eq(uploads.outcome, row.outcome)))
    .returning({ id: uploads.id });

const detailSealContext = (id: string) => ({ table: "uploads", column: "detail", id });
const UploadDetailSchema = z.object({
  file_name: z.string().nullable(),
  about: StoredReportFields.optional(),
  metrics: z.string().nullable().optional(),
  /** The time of `about` in Unix ms, read in the hospital's zone when the file arrived; null if it is unclear. */
  measured_at: z.number().nullable().optional(),
  discard_reason: z.string().optional(),
  assign_reason: z.string().optional(),
  /** The grant that the file counts against. */
  import_grant: z.string().optional(),
});
export type UploadDetail = z.infer<typeof UploadDetailSchema>;

/**
 * When the file was measured, in Unix ms; null if it came without a time or with an unclear one. Uploads from before `measured_at` have
 * a time with a zone.
 */
export function findMeasuredAt({ measured_at, about }: UploadDetail): number | null {
  if (measured_at !== undefined) return measured_at;
  return about?.recorded_at === undefined ? null : Date.parse(about.recorded_at);
}

/** Decrypts the fields, metrics and file name that were sent with the file. */
export async function openDetail(
  { keys }: Pick<Call, "keys">,
  { id, detailSealed }: Pick<UploadRow, "id" | "detailSealed">,
): Promise<UploadDetail> {
  if (detailSealed === null) return { file_name: null };
  return UploadDetailSchema.parse(await unsealValue(keys.fields, detailSealContext(id), detailSealed));
}

/** Null when nothing is known: `openDetail` gives the same for it. */
function sealKnownDetail(call: Call, id: string, { file_name, ...others }: UploadDetail): Promise<string> | null {
  const isEmpty = file_name === null && Object.keys(others).length === 0;
  return isEmpty ? null : sealDetail(call, id, { file_name, ...others });
}

export function sealDetail({ keys }: Call, id: string, detail: UploadDetail): Promise<string> {
  return sealValue(keys.fields, detailSealContext(id), detail);
}
