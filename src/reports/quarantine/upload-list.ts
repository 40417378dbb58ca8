// Reading the upload log: every attempt of a hospital, the queue of what is in quarantine, one attempt with what came with it.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { asCaller } from "../../access/access.ts";
import type { Call, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import type { Action } from "../../access/roles.ts";
import { COUNT_LIMIT, keyset, type PageQuery, startOf, toPage } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { uploads } from "../../platform/db/schema.ts";
import { sameFileStatement } from "../upload/new-report.ts";
import { openDetail, type UploadOutcome, type UploadRow } from "../upload/upload-log.ts";

export async function toUpload(call: Call, row: UploadRow) {
  const { file_name } = await openDetail(call, row);
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
    file_name,
    file_size: row.fileSize,
    sha256: row.sha256,
    created_at: new Date(row.createdAt).toISOString(),
  };
}

/** With the device that sent it and everything that came beside the file, as it came. */
export async function toKeptUpload(call: Call, row: UploadRow, deviceId: string | null) {
  const { about, metrics, discard_reason } = await openDetail(call, row);
  return {
    ...(await toUpload(call, row)),
    device_id: deviceId,
    fields: about ?? {},
    metrics: metrics ?? null,
    discard_reason: discard_reason ?? null,
  };
}

/** The device behind a machine's credential; other callers have none. */
const deviceOf = sql<string | null>`(SELECT c.device_id FROM credentials c WHERE c.id = uploads.actor_id AND c.kind = 'device')`;

function ours(standing: UserStanding): SQL {
  return standing.role === "admin" ? sql`1` : eq(uploads.hospitalId, standing.hospitalId ?? "");
}

type UploadQuery = PageQuery & { outcome?: UploadOutcome | undefined };

/** The attempts of a hospital, newest first, for those who look after its machines: nurses and administrators. */
async function pageOf(anyCall: Call, list: "uploads" | "quarantine", query: UploadQuery) {
  const start = await startOf(anyCall, list, query);
  const { where, orderBy } = keyset(start, uploads.createdAt, uploads.id);
  const { call, standing, results } = await asCaller(anyCall, "upload:read", (standing, { db }) => {
    const filter = and(ours(standing), query.outcome ? eq(uploads.outcome, query.outcome) : undefined);
    return [
      db
        .select({ row: uploads, deviceId: deviceOf })
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
  const key = ({ row }: { row: UploadRow }) => ({ value: row.createdAt, id: row.id });
  const { rows: kept, pagination } = await toPage(start, rows, key, { n: count?.n ?? 0, exact: false });
  const { role, hospitalId } = standing;
  const subjects = kept.flatMap(({ row }) => row.patientId ?? []);
  const event = list === "uploads" ? "upload.list" : "upload.quarantine";
  await batch(db, audit(db, actor, now, { event, action: "R", role, hospitalId, subjects, detail: { count: kept.length } }));
  return { call, rows: kept, pagination };
}

export async function listUploads(anyCall: Call, query: UploadQuery) {
  const { call, rows, pagination } = await pageOf(anyCall, "uploads", query);
  return { items: await Promise.all(rows.map(({ row }) => toUpload(call, row))), pagination };
}

/** What waits for a person to say whose it is. */
export async function listQuarantine(anyCall: Call, query: PageQuery) {
  const { call, rows, pagination } = await pageOf(anyCall, "quarantine", { ...query, outcome: "quarantined" });
  return { items: await Promise.all(rows.map(({ row, deviceId }) => toKeptUpload(call, row, deviceId))), pagination };
}

/**
 * The gate for one attempt, its row, and the reports that hold the same file: one round trip.
 * @throws ApiError not_found for what is absent or another hospital's
 */
export async function requireUpload(anyCall: Call, id: string, action: Action) {
  const { call, standing, results } = await asCaller(anyCall, action, (standing, { db }) => [
    db
      .select({ row: uploads, deviceId: deviceOf })
      .from(uploads)
      .where(and(eq(uploads.id, id), ours(standing))),
    sameFileStatement({ ...anyCall, db }, sql`(SELECT sha256 FROM uploads WHERE id = ${id})`),
  ]);
  const [[found], sameFile] = results;
  const { role, hospitalId } = standing;
  if (!found) return refuse(call, action, "not_found", { role, hospitalId, target: { upload: id } });
  return { call, standing, sameFile, ...found };
}

/** What an event about one attempt says of it. */
export function aboutUpload({ role }: UserStanding, row: UploadRow) {
  return {
    role,
    hospitalId: row.hospitalId,
    entity: { type: "upload", id: row.id },
    subjects: row.patientId ? [row.patientId] : [],
  };
}

export async function getUpload(anyCall: Call, id: string) {
  const { call, standing, row, deviceId } = await requireUpload(anyCall, id, "upload:read");
  const { db, actor, now } = call;
  await batch(db, audit(db, actor, now, { event: "upload.read", action: "R", ...aboutUpload(standing, row) }));
  return toKeptUpload(call, row, deviceId);
}
