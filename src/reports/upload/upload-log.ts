// The upload log: one row for every attempt of an authenticated caller, with what became of it.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type Access, resolveDeviceAccess, withPrincipal } from "../../access/access.ts";
import { type Call, getActorId } from "../../access/actor.ts";
import { type AuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { OWN_RECORD } from "../../access/patient-row.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { uploads } from "../../platform/db/schema.ts";
import type { UPLOAD_OUTCOMES } from "../../platform/db/vocabulary.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import type { ReportKind } from "./metric-ranges.ts";
import { ReportFields } from "./upload-request.ts";

export type UploadOutcome = (typeof UPLOAD_OUTCOMES)[number];

/** What is known of an attempt so far; its log row says as much, however it ends. */
export type UploadAttempt = {
  id: string;
  hospitalId: string | null;
  patientId: string | null;
  kind: ReportKind | null;
  fileName: string | null;
  sha256: string | null;
  size: number | null;
  /** The machine whose quota the bytes count against. */
  quotaOwnerId: string | null;
  /** From here on the gate is asked by what follows; a refusal before that asks it itself. */
  accessChecked: boolean;
};

/** The log shows an attempt to the hospital that the caller says they work for until the gate has said which it is. */
export function newUploadAttempt({ actor }: Call): UploadAttempt {
  const hospitalId = actor.kind === "user" ? actor.claimedRole.hospitalId : actor.kind === "app" ? actor.hospitalId : null;
  const unknown = { patientId: null, kind: null, fileName: null, sha256: null, size: null, quotaOwnerId: null };
  return { id: uuidv7(), hospitalId, ...unknown, accessChecked: false };
}

/**
 * A request can be refused for its form before the gate is asked; only whom the gate knows leaves a row.
 * @throws ApiError unauthenticated, forbidden
 */
export async function authorizeUploader(call: Call): Promise<{ role: Access["role"]; hospitalId: string | null }> {
  const { actor } = call;
  if (actor.kind !== "device") return (await withPrincipal(call, "report:create", () => [])).effectiveRole;
  const { hospitalId } = await resolveDeviceAccess(call, actor, OWN_RECORD, "report:create");
  return { role: "device", hospitalId };
}

/** Errors that the gate has audited already. */
const ALREADY_AUDITED: readonly string[] = ["unauthenticated", "forbidden", "not_found"] satisfies ErrorCode[];

/** @throws ApiError unauthenticated instead, when the gate does not know the caller */
export async function recordUploadFailure(call: Call, attempt: UploadAttempt, error: unknown): Promise<void> {
  const code = error instanceof ApiError ? error.code : "unavailable";
  if (code === "unauthenticated") return;
  const failed = !(error instanceof ApiError) || error.status >= 500;
  if (!attempt.accessChecked && !failed) attempt.hospitalId = (await authorizeUploader(call)).hospitalId;
  const log = { outcome: failed ? "failed" : "refused", reason: code, event: "report.refuse", action: "C" } as const;
  const statements = await uploadLogStatements(call, attempt, log);
  const row = batch(call.db, ALREADY_AUDITED.includes(code) ? statements.slice(0, 1) : statements);
  // When a store has failed, the log row is tried and the failure itself reported.
  await (failed ? row.catch(() => undefined) : row);
}

type UploadLogEntry = {
  outcome: UploadOutcome;
  reason?: ErrorCode;
  reportId?: string | null;
  fileKey?: string;
  /** Where a file will be sent, and until when. */
  awaited?: { incomingKey: string; expiresAt: number };
  /** What came with a file that made no report of its own, so that nothing of it is lost. */
  kept?: { about: ReportFields; metrics: string | null };
  /** The row is not written, and the batch fails, if this finds something: `isUnmet(error, "uploads.id")`. */
  unless?: SQL;
  /** The upload that this one repeats. */
  repeats?: string;
  event: string;
  action: AuditEvent["action"];
  access?: Access | null;
};

/** The row of the upload log and the audit event, in this order. */
export async function uploadLogStatements(call: Call, attempt: UploadAttempt, entry: UploadLogEntry): Promise<Statement[]> {
  const { db, keys, actor, now } = call;
  const { access } = entry;
  const isDevice = actor.kind === "device";
  const row = db.insert(uploads).values({
    id: entry.unless ? sql`(SELECT ${attempt.id} WHERE NOT EXISTS (${entry.unless}))` : attempt.id,
    actorKind: actor.kind === "device" || actor.kind === "app" ? actor.kind : "user",
    actorId: getActorId(actor),
    hospitalId: attempt.hospitalId,
    patientId: attempt.patientId,
    reportId: entry.reportId ?? null,
    kind: attempt.kind,
    outcome: entry.outcome,
    reason: entry.reason ?? null,
    detailSealed: await sealValue(keys.fields, detailPlace(attempt.id), { file_name: attempt.fileName, ...entry.kept }),
    fileKey: entry.fileKey ?? null,
    incomingKey: entry.awaited?.incomingKey ?? null,
    expiresAt: entry.awaited?.expiresAt ?? null,
    fileSize: attempt.size,
    sha256: attempt.sha256,
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
 * Moves an attempt from one state to another if it still is in the first; the event is left only then. The first
 * statement returns the row's id, or nothing when somebody else was quicker.
 */
export function settleUpload({ db, actor, now }: Call, row: UploadRow, change: Partial<UploadRow>, event: AuditEvent) {
  return [
    db
      .update(uploads)
      .set(change)
      .where(and(eq(uploads.id, row.id), eq(uploads.outcome, row.outcome)))
      .returning({ id: uploads.id }),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ] as const;
}

const detailPlace = (id: string) => ({ table: "uploads", column: "detail", id });
const UploadDetailSchema = z.object({
  file_name: z.string().nullable(),
  about: ReportFields.optional(),
  metrics: z.string().nullable().optional(),
  discard_reason: z.string().optional(),
});
export type UploadDetail = z.infer<typeof UploadDetailSchema>;

/** What an attempt said beside its file. */
export async function openDetail({ keys }: Call, { id, detailSealed }: UploadRow): Promise<UploadDetail> {
  if (detailSealed === null) return { file_name: null };
  return UploadDetailSchema.parse(await unsealValue(keys.fields, detailPlace(id), detailSealed));
}

export function sealDetail({ keys }: Call, id: string, detail: UploadDetail): Promise<string> {
  return sealValue(keys.fields, detailPlace(id), detail);
}
