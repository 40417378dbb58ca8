// The upload log: one row for every attempt of an authenticated caller, with what became of it.
import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { type Access, asCaller, asPrincipal, deviceAccess } from "../access.ts";
import { type Call, idOf } from "../actor.ts";
import { type AuditEvent, audit } from "../audit.ts";
import { open, seal } from "../crypto.ts";
import { batch, type Statement } from "../db/client.ts";
import { type UPLOAD_OUTCOMES, uploads } from "../db/schema.ts";
import { ApiError, type ErrorCode } from "../errors.ts";
import { uuidv7 } from "../ids.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../pagination.ts";
import { OWN } from "../patient-row.ts";
import type { ReportKind } from "./metrics.ts";

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
  /** From here on the gate is asked by what follows; a refusal before that asks it itself. */
  gated: boolean;
};

/** The log shows an attempt to the hospital that the caller says they work for until the gate has said which it is. */
export function newAttempt({ actor }: Call): Attempt {
  const hospitalId = actor.kind === "user" ? actor.claimed.hospitalId : actor.kind === "app" ? actor.hospitalId : null;
  return { id: uuidv7(), hospitalId, patientId: null, kind: null, fileName: null, sha256: null, size: null, gated: false };
}

/**
 * A request can be refused for its form before the gate is asked; only whom the gate knows leaves a row.
 * @throws ApiError unauthenticated, forbidden
 */
async function askGate(call: Call, attempt: Attempt): Promise<void> {
  const { actor } = call;
  const known =
    actor.kind === "device"
      ? await deviceAccess(call, actor, OWN, "report:create")
      : (await asPrincipal(call, "report:create", () => [])).standing;
  attempt.hospitalId = known.hospitalId;
}

/** Errors that the gate has audited already. */
const AUDITED: readonly string[] = ["unauthenticated", "forbidden", "not_found"] satisfies ErrorCode[];

/** @throws ApiError unauthenticated instead, when the gate does not know the caller */
export async function logRefusal(call: Call, attempt: Attempt, error: unknown): Promise<void> {
  const code = error instanceof ApiError ? error.code : "unavailable";
  if (code === "unauthenticated") return;
  const failed = !(error instanceof ApiError) || error.status >= 500;
  if (!attempt.gated && !failed) await askGate(call, attempt);
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
  /** What came with a file that made no report of its own, so that nothing of it is lost. */
  kept?: { about: object; metrics: string | null };
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
    id: attempt.id,
    actorKind: actor.kind === "device" || actor.kind === "app" ? actor.kind : "user",
    actorId: idOf(actor),
    hospitalId: attempt.hospitalId,
    patientId: attempt.patientId,
    reportId: line.reportId ?? null,
    kind: attempt.kind,
    outcome: line.outcome,
    reason: line.reason ?? null,
    detailSealed: await seal(keys.fields, place(attempt.id), { file_name: attempt.fileName, ...line.kept }),
    fileKey: line.fileKey ?? null,
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
      detail: { upload_id: attempt.id },
    }),
  ];
}

const place = (id: string) => ({ table: "uploads", column: "detail", id });
const Detail = z.object({ file_name: z.string().nullable() });

async function toUpload(call: Call, row: typeof uploads.$inferSelect) {
  const detail = row.detailSealed ? Detail.parse(await open(call.keys.fields, place(row.id), row.detailSealed)) : null;
  return {
    upload_id: row.id,
    actor_kind: row.actorKind,
    actor_id: row.actorId,
    hospital_id: row.hospitalId,
    patient_id: row.patientId,
    report_id: row.reportId,
    kind: row.kind,
    outcome: row.outcome,
    reason: row.reason,
    file_name: detail?.file_name ?? null,
    file_size: row.fileSize,
    sha256: row.sha256,
    created_at: new Date(row.createdAt).toISOString(),
  };
}

/** The attempts of a hospital, newest first, for those who look after its machines: nurses and administrators. */
export async function listUploads(anyCall: Call, query: PageQuery & { outcome?: UploadOutcome | undefined }) {
  const start = await startOf(anyCall, "uploads", query);
  const { where, orderBy } = keyset(start, uploads.createdAt, uploads.id);
  const { call, standing, results } = await asCaller(anyCall, "upload:read", (standing, { db }) => {
    const ours = standing.role === "admin" ? sql`1` : eq(uploads.hospitalId, standing.hospitalId ?? "");
    const filter = and(ours, query.outcome ? eq(uploads.outcome, query.outcome) : undefined);
    return [
      db
        .select()
        .from(uploads)
        .where(and(filter, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM uploads WHERE ${filter} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const { db, actor, now } = call;
  const [rows, [count]] = results;
  const key = (row: typeof uploads.$inferSelect) => ({ value: row.createdAt, id: row.id });
  const total = { n: count?.n ?? 0, exact: false };
  const { rows: kept, pagination } = await toPage(start, rows, key, total);
  const { role, hospitalId } = standing;
  const subjects = kept.flatMap((row) => row.patientId ?? []);
  await batch(
    db,
    audit(db, actor, now, { event: "upload.list", action: "R", role, hospitalId, subjects, detail: { count: kept.length } }),
  );
  return { items: await Promise.all(kept.map((row) => toUpload(call, row))), pagination };
}
