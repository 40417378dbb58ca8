// The upload log: one row for every attempt of an authenticated caller, with what became of it.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type Access, asPrincipal, deviceAccess } from "../../access/access.ts";
import { type Call, idOf } from "../../access/actor.ts";
import { type AuditEvent, audit } from "../../access/audit.ts";
import { OWN } from "../../access/patient-row.ts";
import { open, seal } from "../../platform/crypto.ts";
import { batch, type Statement } from "../../platform/db/client.ts";
import { uploads } from "../../platform/db/schema.ts";
import type { UPLOAD_OUTCOMES } from "../../platform/db/vocabulary.ts";
import { ApiError, type ErrorCode } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { About } from "./incoming.ts";
import type { ReportKind } from "./measures.ts";

export type UploadOutcome = (typeof UPLOAD_OUTCOMES)[number];

/** What is known of an attempt so far; its log row says as much, however it ends. */
export type Attempt = {
  id: string;
  hospitalId: string | null;
  patientId: string | null;
  kind: ReportKind | null;
  fileName: string | null;
  sha256: string | null;
  size: number | null;
  /** The machine whose quota the bytes count against. */
  machine: string | null;
  /** From here on the gate is asked by what follows; a refusal before that asks it itself. */
  gated: boolean;
};

/** The log shows an attempt to the hospital that the caller says they work for until the gate has said which it is. */
export function newAttempt({ actor }: Call): Attempt {
  const hospitalId = actor.kind === "user" ? actor.claimed.hospitalId : actor.kind === "app" ? actor.hospitalId : null;
  const unknown = { patientId: null, kind: null, fileName: null, sha256: null, size: null, machine: null };
  return { id: uuidv7(), hospitalId, ...unknown, gated: false };
}

/**
 * A request can be refused for its form before the gate is asked; only whom the gate knows leaves a row.
 * @throws ApiError unauthenticated, forbidden
 */
export async function askGate(call: Call): Promise<{ role: Access["role"]; hospitalId: string | null }> {
  const { actor } = call;
  if (actor.kind !== "device") return (await asPrincipal(call, "report:create", () => [])).standing;
  const { hospitalId } = await deviceAccess(call, actor, OWN, "report:create");
  return { role: "device", hospitalId };
}

/** Errors that the gate has audited already. */
const AUDITED: readonly string[] = ["unauthenticated", "forbidden", "not_found"] satisfies ErrorCode[];

/** @throws ApiError unauthenticated instead, when the gate does not know the caller */
export async function logRefusal(call: Call, attempt: Attempt, error: unknown): Promise<void> {
  const code = error instanceof ApiError ? error.code : "unavailable";
  if (code === "unauthenticated") return;
  const failed = !(error instanceof ApiError) || error.status >= 500;
  if (!attempt.gated && !failed) attempt.hospitalId = (await askGate(call)).hospitalId;
  const log = { outcome: failed ? "failed" : "refused", reason: code, event: "report.refuse", action: "C" } as const;
  const statements = await logStatements(call, attempt, log);
  const row = batch(call.db, AUDITED.includes(code) ? statements.slice(0, 1) : statements);
  // When a store has failed, the log row is tried and the failure itself reported.
  await (failed ? row.catch(() => undefined) : row);
}

type LogLine = {
  outcome: UploadOutcome;
  reason?: ErrorCode;
  reportId?: string | null;
  fileKey?: string;
  /** Where a file will be sent, and until when. */
  awaited?: { incomingKey: string; expiresAt: number };
  /** What came with a file that made no report of its own, so that nothing of it is lost. */
  kept?: { about: About; metrics: string | null };
  /** The row is not written, and the batch fails, if this finds something: `isUnmet(error, "uploads.id")`. */
  unless?: SQL;
  /** The upload that this one repeats. */
  repeats?: string;
  event: string;
  action: AuditEvent["action"];
  access?: Access | null;
};

/** The row of the upload log and the audit event, in this order. */
export async function logStatements(call: Call, attempt: Attempt, line: LogLine): Promise<Statement[]> {
  const { db, keys, actor, now } = call;
  const { access } = line;
  const machine = actor.kind === "device";
  const row = db.insert(uploads).values({
    id: line.unless ? sql`(SELECT ${attempt.id} WHERE NOT EXISTS (${line.unless}))` : attempt.id,
    actorKind: actor.kind === "device" || actor.kind === "app" ? actor.kind : "user",
    actorId: idOf(actor),
    hospitalId: attempt.hospitalId,
    patientId: attempt.patientId,
    reportId: line.reportId ?? null,
    kind: attempt.kind,
    outcome: line.outcome,
    reason: line.reason ?? null,
    detailSealed: await seal(keys.fields, detailPlace(attempt.id), { file_name: attempt.fileName, ...line.kept }),
    fileKey: line.fileKey ?? null,
    incomingKey: line.awaited?.incomingKey ?? null,
    expiresAt: line.awaited?.expiresAt ?? null,
    fileSize: attempt.size,
    sha256: attempt.sha256,
    requestId: actor.via.requestId,
    createdAt: now,
  });
  const refused = line.outcome === "refused" || line.outcome === "failed";
  return [
    row,
    ...audit(db, actor, now, {
      event: line.event,
      action: line.action,
      outcome: refused ? "failed" : "success",
      ...(line.reason && { reason: line.reason }),
      ...(access && { role: access.role, basis: access.basis }),
      ...(machine && { role: "device" }),
      hospitalId: attempt.hospitalId,
      entity: line.reportId ? { type: "report", id: line.reportId } : { type: "upload", id: attempt.id },
      subjects: attempt.patientId ? [attempt.patientId] : [],
      detail: { upload_id: attempt.id, ...(line.repeats && { repeats: line.repeats }) },
    }),
  ];
}

export type UploadRow = typeof uploads.$inferSelect;

/**
 * Moves an attempt from one state to another if it still is in the first; the event is left only then. The first
 * statement returns the row's id, or nothing when somebody else was quicker.
 */
export function settle({ db, actor, now }: Call, row: UploadRow, change: Partial<UploadRow>, event: AuditEvent) {
  return [
    db
      .update(uploads)
      .set(change)
      .where(and(eq(uploads.id, row.id), eq(uploads.outcome, row.outcome)))
      .returning({ id: uploads.id }),
    ...audit(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ] as const;
}

const detailPlace = (id: string) => ({ table: "uploads", column: "detail", id });
const Detail = z.object({
  file_name: z.string().nullable(),
  about: About.optional(),
  metrics: z.string().nullable().optional(),
  discard_reason: z.string().optional(),
});
export type UploadDetail = z.infer<typeof Detail>;

/** What an attempt said beside its file. */
export async function openDetail({ keys }: Call, { id, detailSealed }: UploadRow): Promise<UploadDetail> {
  if (detailSealed === null) return { file_name: null };
  return Detail.parse(await open(keys.fields, detailPlace(id), detailSealed));
}

export function sealDetail({ keys }: Call, id: string, detail: UploadDetail): Promise<string> {
  return seal(keys.fields, detailPlace(id), detail);
}
