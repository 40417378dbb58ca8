// The job that makes the file of an export. A run that was cut off is begun anew, with another file, when its lease has ended.
import { eq, sql } from "drizzle-orm";
import type { Call, SystemActor } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { PATIENT_COLUMNS, type PatientRow } from "../../access/patient-row.ts";
import { createAuditLogs } from "../../audit-log/audit-logs.ts";
import { documentRenderer, renderDocument } from "../../care/exports/render.ts";
import { notify } from "../../notifications/notify.ts";
import { getVerifiedKeys } from "../../platform/config.ts";
import { batch, getDb } from "../../platform/db/client.ts";
import { hospitals, recordExports } from "../../platform/db/schema.ts";
import { ApiError, describeCause, stackFrames } from "../../platform/errors.ts";
import { createObjectKey, storeFile } from "../../platform/files.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { exportRecordId } from "./file-owner.ts";
import { gatherRecord } from "./record-content.ts";
import { type ExportRow, FILE_KEPT_MS, LEASE_MS, MAX_ATTEMPTS } from "./record-export.ts";
import { recordModel } from "./record-model.ts";
import { zipRecord } from "./zip-record.ts";

type Run = { env: Env; call: Call; row: ExportRow };
type MadeFile = { key: string; size: number; sha256: string; counts: Record<string, number> };

const newActor = (): SystemActor => ({ kind: "system", name: "record-exports", via: { requestId: uuidv7(), ip: null } });

/** Makes one export, if nobody is making it. @returns whether this run did it */
export async function runExport(env: Env, id: string, now: number): Promise<boolean> {
  const db = getDb(env.DB);
  const [row] = await db
    .update(recordExports)
    .set({
      state: "running",
      attempts: sql`attempts + 1`,
      progress: 0,
      leaseUntil: now + LEASE_MS,
      updatedAt: now,
      version: sql`version + 1`,
    })
    .where(sql`id = ${id} AND state IN ('queued', 'running') AND coalesce(lease_until, 0) <= ${now}`)
    .returning();
  if (!row) return false;
  const call = { db, keys: await getVerifiedKeys(env), actor: newActor(), now, auditLog: createAuditLogs(env) };
  const run = { env, call, row };
  try {
    if (row.attempts > MAX_ATTEMPTS) await fail(run, "unavailable");
    else await complete(run, await makeFile(run));
    return true;
  } catch (error) {
    await onError(run, error);
    return false;
  }
}

/** A mistake of the content is final; anything else is tried again by the next run. */
async function onError(run: Run, error: unknown): Promise<void> {
  const code = error instanceof ApiError ? error.code : null;
  const isFinal = code === "export_too_large" || run.row.attempts >= MAX_ATTEMPTS;
  log(run.env, "ERROR", "export of a record failed", {
    object_id: run.row.id,
    cause: describeCause(error),
    at: stackFrames(error),
  });
  if (isFinal) return fail(run, code ?? "unavailable");
  const { db } = run.call;
  await batch(db, [
    db.update(recordExports).set({ state: "queued", leaseUntil: null, version: sql`version + 1` }).where(isMine(run)),
  ]);
}

/** Nothing has changed the row since this run began, but its own progress, which leaves the version. */
const isMine = ({ row }: Run) => sql`id = ${row.id} AND version = ${row.version}`;

async function makeFile(run: Run): Promise<MadeFile> {
  const { env, call, row } = run;
  const [[patient], [hospital]] = await batch(call.db, [
    call.db.all<PatientRow & { is_person: number }>(sql`SELECT ${PATIENT_COLUMNS}, EXISTS (SELECT 1 FROM patient_links l
      WHERE l.patient_id = patients.id AND l.user_id = ${row.requestedBy}) AS is_person FROM patients WHERE patients.id = ${row.patientId}`),
    call.db.select().from(hospitals).where(eq(hospitals.id, row.hospitalId)),
  ]);
  if (!patient || !hospital) throw new ApiError("not_found");
  const onProgress = (percent: number) => setProgress(run, percent);
  const { content, identity, files } = await gatherRecord(env, call, patient, patient.is_person === 1, onProgress);
  const { sections, ...rest } = content;
  const json = new Uint8Array(new TextEncoder().encode(JSON.stringify({ ...rest, ...sections })));
  const counts = Object.fromEntries(Object.entries(sections).map(([name, items]) => [name, items.length]));
  if (row.format === "json") return { ...(await store(run, json, json.length)), counts };
  const { name, address, phone, email, timeZone } = hospital;
  const letterhead = { name, address, phone, email, time_zone: timeZone };
  const source = {
    language: row.language,
    hospital: letterhead,
    patientNumber: patient.patient_number,
    identity,
    content,
    now: call.now,
  };
  const { bytes } = await renderDocument(documentRenderer(env), recordModel(source), "pdf");
  const pdf = new Uint8Array(bytes);
  await onProgress(75);
  if (row.format === "pdf") return { ...(await store(run, pdf, pdf.length)), counts };
  const zip = await zipRecord(call, env.FILES, { json, pdf, files });
  return { ...(await store(run, zip.chunks, zip.size)), counts: { ...counts, files: zip.files } };
}

/** Seals the file under a new key; its digest is computed on the way. */
async function store({ env, call, row }: Run, source: Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array>, size: number) {
  const key = createObjectKey(call.keys.fields, call.now);
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  async function* hashed() {
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      await writer.write(chunk);
      yield chunk;
    }
    await writer.close();
  }
  await storeFile(env.FILES, call.keys.fields, key, exportRecordId(row.id), hashed(), size);
  return { key, size, sha256: Buffer.from(await digest.digest).toString("hex") };
}

/** Extends the lease too. A progress that is not stored costs nothing. */
async function setProgress({ call, row }: Run, progress: number): Promise<void> {
  const now = Date.now();
  await call.db
    .update(recordExports)
    .set({ progress, leaseUntil: now + LEASE_MS, updatedAt: now })
    .where(sql`id = ${row.id} AND version = ${row.version} AND state = 'running'`);
}

async function complete(run: Run, { key, size, sha256, counts }: MadeFile): Promise<void> {
  const { call, row } = run;
  const { db, now } = call;
  const done = sql`EXISTS (SELECT 1 FROM record_exports WHERE id = ${row.id} AND file_key = ${key})`;
  await batch(db, [
    db
      .update(recordExports)
      .set({
        state: "ready",
        progress: 100,
        leaseUntil: null,
        fileKey: key,
        fileSize: size,
        sha256,
        expiresAt: now + FILE_KEPT_MS,
        updatedAt: now,
        version: sql`version + 1`,
      })
      .where(isMine(run)),
    ...endStatements(run, "ready", done, counts),
  ]);
}

async function fail(run: Run, reason: string): Promise<void> {
  const { call, row } = run;
  const failed = sql`EXISTS (SELECT 1 FROM record_exports WHERE id = ${row.id} AND state = 'failed' AND version = ${row.version + 1})`;
  await batch(call.db, [
    call.db
      .update(recordExports)
      .set({ state: "failed", reason, leaseUntil: null, updatedAt: call.now, version: sql`version + 1` })
      .where(isMine(run)),
    ...endStatements(run, "failed", failed, { reason }),
  ]);
}

/** The event, and a notice to who asked. */
function endStatements(
  { call, row }: Run,
  outcome: "ready" | "failed",
  when: ReturnType<typeof sql>,
  detail: Record<string, unknown>,
) {
  const { db, actor, now } = call;
  const event = {
    event: outcome === "ready" ? "record_export.complete" : "record_export.fail",
    action: "E" as const,
    hospitalId: row.hospitalId,
    entity: { type: "record_export", id: row.id },
    subjects: [row.patientId],
    detail,
    when,
  };
  return [
    ...recordAuditEvent(db, actor, now, event),
    ...notify(db, actor, now, {
      kind: `export.${outcome}`,
      hospitalId: row.hospitalId,
      refs: { export_id: row.id, patient_id: row.patientId },
      recipients: sql`SELECT ${row.requestedBy}`,
      when,
    }),
  ];
}
