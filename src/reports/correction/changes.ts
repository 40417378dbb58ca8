// What was changed of a report: the row of the history with its sealed detail, the condition on it, and the lists.
import { and, eq, type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { type Call, getActorId } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { withPatient } from "../../access/patient-access.ts";
import { buildPage, keysetClauses, type PageQuery, type PageStart, resolvePageStart } from "../../http/pagination.ts";
import { patientEvent } from "../../patients/patients.ts";
import { sealValue } from "../../platform/crypto.ts";
import type { Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, unlessFull } from "../../platform/db/row-limits.ts";
import { reportChanges } from "../../platform/db/schema.ts";
import { REPORT_KINDS, REPORT_STATUSES } from "../../platform/db/vocabulary.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { toIso } from "../../platform/time.ts";

/** Fields before or after a change; only those that it changed. */
const Fields = z
  .object({
    effective_at: z.string(),
    kind: z.enum(REPORT_KINDS),
    status: z.enum(REPORT_STATUSES),
    comment: z.string().nullable(),
  })
  .partial();
export type ChangedFields = z.infer<typeof Fields>;
const Detail = z.object({ reason: z.string(), before: Fields, after: Fields });
export type ChangeDetail = z.infer<typeof Detail>;
type ChangeRow = typeof reportChanges.$inferSelect;

const sealContext = (id: string) => ({ table: "report_changes", column: "detail", id });

/** Condition for the other statements of the batch: the change was written, because the report had the expected version. */
export const isChangeWritten = (changeId: string): SQL => sql`EXISTS (SELECT 1 FROM report_changes WHERE id = ${changeId})`;

export type NewChange = {
  id: string;
  reportId: string;
  what: ChangeRow["what"];
  version: number;
  fromPatientId: string | null;
  detail: ChangeDetail;
};

/** Inserts the change if the statement before it changed the report. Fails the batch at the limit (ROW_LIMITS.reportChanges). */
export async function insertChange(call: Call, change: NewChange): Promise<Statement[]> {
  const { db, keys, actor, now } = call;
  const { id, reportId, what, version, fromPatientId, detail } = change;
  const sealed = await sealValue(keys.fields, sealContext(id), detail);
  const author = unlessFull(getActorId(actor), ROW_LIMITS.reportChanges, sql`report_changes WHERE report_id = ${reportId}`);
  const insert =
    db.run(sql`INSERT INTO report_changes (id, report_id, what, from_patient_id, version, changed_by, changed_at, detail_sealed)
    SELECT ${id}, ${reportId}, ${what}, ${fromPatientId}, ${version}, ${author}, CAST(${now} AS INTEGER), ${sealed} WHERE changes() > 0`);
  // An array: a statement alone would run when it is awaited.
  return [insert];
}

/** Lists what was changed of a report, newest first. @throws ApiError not_found */
export async function listChanges(call: Call, reportId: string, query: PageQuery) {
  const start = await resolvePageStart(call, `report_changes:${reportId}`, query);
  const { keys } = call;
  const { access, results } = await withPatient(call, { report: reportId }, "report:correct", () =>
    selectPage(call, start, eq(reportChanges.reportId, reportId)),
  );
  const { patient, role, basis, hospitalId } = access;
  const entity = { type: "report", id: reportId };
  const { rows, pagination } = await toPage(start, results);
  const event = { event: "report.changes", action: "R", role, basis, hospitalId, entity, subjects: [patient.id] } as const;
  const stored = appendAuditEvent(call, event);
  const items = rows.map(async (row) => ({
    change_id: row.id,
    what: row.what,
    version: row.version,
    changed_by: row.changedBy,
    changed_at: toIso(row.changedAt),
    // A care team sees its own patients only.
    from_patient_id: basis === "care_team" ? null : row.fromPatientId,
    ...(await readSealed(keys.fields, sealContext(row.id), row.detailSealed, Detail)),
  }));
  return { items: await afterAudit(stored, Promise.all(items)), pagination };
}

/** Lists the marks of reports that were moved from a patient's record to another, newest first. They name no content. */
export async function listMovedReports(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `moved_reports:${ref}`, query);
  const { access, results } = await withPatient(call, { patient: ref }, "patient:read", (patientId) =>
    selectPage(call, start, eq(reportChanges.fromPatientId, patientId)),
  );
  const { rows, pagination } = await toPage(start, results);
  await appendAuditEvent(call, patientEvent(access, "report.moved_list", "R"));
  return { items: rows.map(({ id, changedAt }) => ({ mark_id: id, moved_at: toIso(changedAt) })), pagination };
}

function selectPage({ db }: Call, start: PageStart, filter: SQL) {
  const { where, orderBy } = keysetClauses(start, reportChanges.changedAt, reportChanges.id);
  return [
    db
      .select()
      .from(reportChanges)
      .where(and(filter, where))
      .orderBy(...orderBy)
      .limit(start.limit + 1)
      .offset(start.skip),
    db.select({ n: sql<number>`count(*)` }).from(reportChanges).where(filter),
  ] as const;
}

function toPage(start: PageStart, [rows, [counted]]: readonly [ChangeRow[], { n: number }[]]) {
  const key = (row: ChangeRow) => ({ value: row.changedAt, id: row.id });
  return buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
}
