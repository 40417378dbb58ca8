// History of what identifies a patient and of the state of the record: which field, old and new value, who, when and why.
import { z } from "@hono/zod-openapi";
import { and, count, eq, type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent } from "../../access/audit.ts";
import { type Access, withPatient } from "../../access/patient-access.ts";
import { unsealProfile } from "../../access/profile.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { sealValue } from "../../platform/crypto.ts";
import type { Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, unlessFull } from "../../platform/db/row-limits.ts";
import { patientChanges } from "../../platform/db/schema.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { toIso } from "../../platform/time.ts";
import { patientEvent } from "../patients.ts";

export const RECORDED_FIELDS = [
  "first_name",
  "last_name",
  "gender",
  "date_of_birth",
  "phone",
  "email",
  "address",
  "aadhaar_last4",
  "abha_number",
  "monitoring",
  "is_active",
] as const;
type RecordedField = (typeof RECORDED_FIELDS)[number];

/** Whether changes of the field of a request are recorded; of an Aadhaar number the last four digits are. */
export const isRecordedField = (field: string): boolean =>
  field === "aadhaar_number" || RECORDED_FIELDS.some((recorded) => recorded === field);

const Value = z.union([z.string(), z.boolean()]).nullable();
export const FieldChange = z.object({ field: z.enum(RECORDED_FIELDS), before: Value, after: Value });
type FieldChange = z.output<typeof FieldChange>;
const StoredChange = z.object({ role: z.string(), reason: z.string().nullable(), fields: z.array(FieldChange) });

const sealContext = (id: string) => ({ table: "patient_changes", column: "change", id });

export function compareVersions(before: Record<RecordedField, unknown>, after: Record<RecordedField, unknown>): FieldChange[] {
  return RECORDED_FIELDS.filter((field) => before[field] !== after[field]).map((field) =>
    FieldChange.parse({ field, before: before[field], after: after[field] }),
  );
}

/**
 * The statement that records a change; none where nothing recorded was changed and no reason given. At the limit of its rows it
 * fails the batch. @param when condition for writing it
 */
export async function recordChange(
  { db, keys, actor, now }: Call,
  { patient, role }: { patient: { id: string }; role: Access["role"] },
  { reason, fields }: { reason: string | null; fields: FieldChange[] },
  when: SQL = sql`1`,
): Promise<Statement[]> {
  if (fields.length === 0 && reason === null) return [];
  const id = uuidv7();
  const sealed = await sealValue(keys.fields, sealContext(id), { role, reason, fields });
  const author = unlessFull(getActorId(actor), ROW_LIMITS.patientChanges, sql`patient_changes WHERE patient_id = ${patient.id}`);
  return [
    db.run(sql`INSERT INTO patient_changes (id, patient_id, changed_by, changed_by_kind, changed_at, change_sealed)
      SELECT ${id}, ${patient.id}, ${author}, ${actor.kind}, CAST(${now} AS INTEGER), ${sealed} WHERE ${when}`),
  ];
}

type ChangeRow = typeof patientChanges.$inferSelect & { profileSealed: string | null };

/** Lists the changes, newest first. Names of staff are for staff. @throws ApiError not_found */
export async function listPatientChanges(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `patient_changes:${ref}`, query);
  const { where, orderBy } = keysetClauses(start, patientChanges.changedAt, patientChanges.id);
  const { db, actor } = call;
  const { access, results } = await withPatient(call, { patient: ref }, "patient:read", (patientId) => [
    db.all<ChangeRow>(sql`SELECT patient_changes.id AS id, patient_changes.patient_id AS patientId, changed_by AS changedBy,
        changed_by_kind AS changedByKind, changed_at AS changedAt, change_sealed AS changeSealed, u.profile_sealed AS profileSealed
      FROM patient_changes LEFT JOIN users u ON u.id = patient_changes.changed_by
      WHERE ${and(eq(patientChanges.patientId, patientId), where)} ORDER BY ${sql.join(orderBy, sql`, `)} LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
    db.select({ n: count() }).from(patientChanges).where(eq(patientChanges.patientId, patientId)),
  ]);
  const [rows, [counted]] = results;
  const key = (row: ChangeRow) => ({ value: row.changedAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const isStaff = access.basis !== "self" && access.basis !== "app";
  const items = Promise.all(pageRows.map((row) => toChange(call, row, isStaff || row.changedBy === getActorId(actor))));
  return { items: await afterAudit(appendAuditEvent(call, patientEvent(access, "patient.changes", "R")), items), pagination };
}

async function toChange({ keys }: Call, row: ChangeRow, withName: boolean) {
  const { id, changedBy, changedByKind: kind, changedAt, changeSealed, profileSealed } = row;
  const { role, reason, fields } = await readSealed(keys.fields, sealContext(id), changeSealed, StoredChange);
  const profile = withName && profileSealed ? await unsealProfile(keys, { id: changedBy, profileSealed }) : null;
  return {
    change_id: id,
    changed_by: { kind, id: changedBy, role, name: profile?.full_name ?? null },
    changed_at: toIso(changedAt),
    reason,
    fields: [...fields],
  };
}
