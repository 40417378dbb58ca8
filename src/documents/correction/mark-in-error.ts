// Marking a document as entered in error: with a reason, in all of its versions. The files stay.
import { and, eq, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { type Access, withPatient } from "../../access/patient-access.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch } from "../../platform/db/client.ts";
import { documents } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { type DocumentRow, documentEvent, sealContext, selectSeries, toDocument } from "../reading/document.ts";

/** The event of the mark, and of its failures. */
const EVENT = "document.entered_in_error";

/**
 * Marks every version of a document as entered in error. It leaves lists, and only those who may correct documents still see it.
 * @param id of the current version
 * @throws ApiError not_found, precondition_failed, conflict (marked already, or not the current version)
 */
export async function markInError(call: Call, id: string, expected: ExpectedVersion, reason: string) {
  const { db, keys, actor, now } = call;
  const { access, results } = await withPatient(call, { document: id }, "document:correct", () => [selectSeries(call, id)]);
  const [rows] = results;
  const row = rows.find((version) => version.id === id);
  if (!row) throw new ApiError("not_found");
  const event = documentEvent(access, id, EVENT, "U");
  if (matchVersion(expected, row.version) !== row.version) return failWithAudit(call, "precondition_failed", event);
  if (row.status !== "current") return failWithAudit(call, "conflict", event, explainStatus(row));
  const mark = {
    status: "entered-in-error" as const,
    reasonSealed: await sealValue(keys.fields, sealContext("reason", id), reason),
    endedBy: getActorId(actor),
    endedAt: now,
    updatedAt: now,
    version: row.version + 1,
  };
  const [marked] = await batch(db, [
    db
      .update(documents)
      .set(mark)
      .where(and(eq(documents.id, id), eq(documents.version, row.version), eq(documents.status, "current")))
      .returning({ id: documents.id }),
    ...recordAuditEvent(db, actor, now, { ...event, detail: { versions: rows.length }, when: sql`changes() > 0` }),
    db.run(await markFormerVersions(call, access, row, rows, reason)),
  ]);
  if (marked.length === 0) return failWithAudit(call, "precondition_failed", event);
  return toDocument(call, { ...row, ...mark });
}

const explainStatus = ({ status }: DocumentRow) =>
  status === "superseded" ? "Name the current version of the document." : "The document is marked as entered in error.";

/**
 * Marks the versions before the current one, if that one was marked by this request: a version is bound to its own seal. `+` keeps SQLite
 * from reading all documents of the patient.
 */
async function markFormerVersions(
  { keys, actor, now }: Call,
  { patient }: Access,
  current: DocumentRow,
  rows: readonly DocumentRow[],
  reason: string,
) {
  const former = rows.filter(({ id }) => id !== current.id);
  const reasons = await Promise.all(
    former.map(async ({ id }) => [id, await sealValue(keys.fields, sealContext("reason", id), reason)]),
  );
  return sql`UPDATE documents SET status = 'entered-in-error', reason_sealed = mark.value->>1, ended_by = ${getActorId(actor)},
      ended_at = CAST(${now} AS INTEGER), updated_at = CAST(${now} AS INTEGER), version = version + 1
    FROM json_each(${JSON.stringify(reasons)}) mark
    WHERE documents.id = mark.value->>0 AND +documents.patient_id = ${patient.id} AND documents.status = 'superseded'
      AND EXISTS (SELECT 1 FROM documents c WHERE c.id = ${current.id} AND c.version = ${current.version + 1}
        AND c.status = 'entered-in-error' AND c.ended_by = ${getActorId(actor)} AND c.ended_at = ${now})`;
}
