// Corrections of a report by staff: time, kind and comment, entered in error and back, and the move to the right patient.
import { and, eq } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { denyAccess, failWithAudit } from "../../access/deny.ts";
import { type Access, authorizePatient } from "../../access/patient-access.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { futureTimeError, requireClearTime, resolveMeasuredAt } from "../../http/measured-at.ts";
import { incrementCounters } from "../../platform/counters.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch, isUniqueViolation, type Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError } from "../../platform/db/row-limits.ts";
import { reports } from "../../platform/db/schema.ts";
import { isAhead } from "../../platform/device-times.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { toIso } from "../../platform/time.ts";
import { commentSealContext, type ReportRow, readComment, toReport } from "../reading/report.ts";
import type { ReportKind } from "../upload/metric-ranges.ts";
import { countReport } from "../upload/new-report.ts";
import { type ChangedFields, insertChange, isChangeWritten, type NewChange } from "./changes.ts";

type FoundReport = { access: Access; row: ReportRow };

/** @throws ApiError not_found, precondition_failed */
async function requireVersion(call: Call, id: string, expected: ExpectedVersion): Promise<FoundReport> {
  const access = await authorizePatient(call, { report: id }, "report:correct");
  const [row] = await call.db.select().from(reports).where(eq(reports.id, id));
  // Moved between the two reads: the check was for another patient.
  if (!row || row.patientId !== access.patient.id) throw new ApiError("not_found");
  if (matchVersion(expected, row.version) !== row.version) return failStale(call, access, id);
  return { access, row };
}

function auditEvent({ role, basis, hospitalId, patient }: Access, event: string, id: string) {
  return { event, action: "U", role, basis, hospitalId, entity: { type: "report", id }, subjects: [patient.id] } as const;
}

/** @throws ApiError precondition_failed always */
const failStale = (call: Call, access: Access, id: string): Promise<never> =>
  failWithAudit(call, "precondition_failed", auditEvent(access, "report.correct", id));

/** Writes the new row, the change, the counters and the audit events, if the report still has the version that was read. */
async function writeChange(
  call: Call,
  { access, row }: FoundReport,
  next: ReportRow,
  change: Omit<NewChange, "id" | "reportId" | "version">,
  audit: (changeId: string) => Statement[],
): Promise<void> {
  const { db, now } = call;
  const id = uuidv7();
  const { patientId, kind, status, effectiveAt, commentSealed, linksFrom, version } = next;
  const [updated] = await batch(db, [
    db
      .update(reports)
      .set({ patientId, kind, status, effectiveAt, commentSealed, linksFrom, version, updatedAt: now })
      .where(and(eq(reports.id, row.id), eq(reports.version, row.version)))
      .returning({ id: reports.id }),
    ...(await insertChange(call, { ...change, id, reportId: row.id, version })),
    incrementCounters(db, listCounterChanges(row, next), isChangeWritten(id)),
    ...audit(id),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.reportChanges);
  });
  if (updated.length === 0) await failStale(call, access, row.id);
}

/** Counters of the row before that do not count the row after, and the reverse. */
function listCounterChanges(row: ReportRow, next: ReportRow) {
  const [before, after] = [countReport(row, -1), countReport(next)];
  const key = ({ scope, day, name }: (typeof before)[number]) => `${scope} ${day} ${name}`;
  const isIn = (list: typeof before) => (change: (typeof before)[number]) => list.some((other) => key(other) === key(change));
  return [...before.filter((change) => !isIn(after)(change)), ...after.filter((change) => !isIn(before)(change))];
}

export type Correction = {
  recorded_at?: string | undefined;
  kind?: ReportKind | undefined;
  comment?: string | null | undefined;
  status?: "preliminary" | "entered-in-error" | undefined;
  reason: string;
};

/**
 * Corrects a report; the former values stay in its history. A correction that changes nothing leaves no entry.
 * @throws ApiError not_found, precondition_failed, invalid_request (a time that is unclear or in the future), limit_reached
 */
export async function correctReport(call: Call, id: string, expected: ExpectedVersion, { reason, ...input }: Correction) {
  const { db, keys, actor, now } = call;
  const found = await requireVersion(call, id, expected);
  const { access, row } = found;
  const measuredAt = requireClearTime(await resolveMeasuredAt(call, input.recorded_at, access.hospitalId));
  if (isAhead(measuredAt, now)) throw futureTimeError();
  const comment = await readComment(call, row);
  const before = { effective_at: toIso(row.effectiveAt), kind: row.kind, status: row.status, comment };
  const after = {
    effective_at: toIso(measuredAt ?? row.effectiveAt),
    kind: input.kind ?? row.kind,
    status: input.status ?? row.status,
    comment: input.comment === undefined ? comment : input.comment,
  };
  const names = (["effective_at", "kind", "status", "comment"] as const).filter((name) => before[name] !== after[name]);
  const pick = (values: ChangedFields): ChangedFields => Object.fromEntries(names.map((name) => [name, values[name]]));
  if (names.length === 0) return showUnchanged(call, access, row);
  const isMark = names.includes("status");
  const what = !isMark ? "corrected" : after.status === "entered-in-error" ? "entered_in_error" : "restored";
  const next = {
    ...row,
    effectiveAt: measuredAt ?? row.effectiveAt,
    kind: after.kind,
    status: after.status,
    commentSealed: after.comment === null ? null : await sealValue(keys.fields, commentSealContext(id), after.comment),
    version: row.version + 1,
  };
  const detail = { reason, before: pick(before), after: pick(after) };
  await writeChange(call, found, next, { what, fromPatientId: null, detail }, (changeId) =>
    recordAuditEvent(db, actor, now, {
      ...auditEvent(access, isMark ? `report.${what}` : "report.correct", id),
      detail: { fields: names, change_id: changeId },
      when: isChangeWritten(changeId),
    }),
  );
  return showReport(call, access, next);
}

const SAME_FILE = "The patient has a report with the same file. Mark this one as entered in error instead.";

/**
 * Moves a misfiled report to another patient of its hospital. Links that were signed before end; the old record keeps a mark.
 * @throws ApiError not_found (report or patient), precondition_failed, conflict (the patient has the same file), limit_reached
 */
export async function moveReport(
  call: Call,
  id: string,
  expected: ExpectedVersion,
  { patient_id, reason }: { patient_id: string; reason: string },
) {
  const { db, actor, now } = call;
  const found = await requireVersion(call, id, expected);
  const { access, row } = found;
  const target = await authorizePatient(call, { patient: patient_id }, "report:create");
  // A report never leaves its hospital, not even when a platform administrator moves it.
  if (target.hospitalId !== access.hospitalId) {
    const facts = { role: target.role, hospitalId: access.hospitalId, target: { report: id }, patientId: target.patient.id };
    return denyAccess(call, "report:correct", "not_found", facts);
  }
  if (target.patient.id === row.patientId) return showUnchanged(call, access, row);
  const next = { ...row, patientId: target.patient.id, linksFrom: now, version: row.version + 1 };
  const change = { what: "moved", fromPatientId: row.patientId, detail: { reason, before: {}, after: {} } } as const;
  // One event per patient, so that neither log names the other.
  await writeChange(call, found, next, change, (changeId) =>
    [auditEvent(access, "report.moved_out", id), auditEvent(target, "report.moved_in", id)].flatMap((event) =>
      recordAuditEvent(db, actor, now, { ...event, detail: { change_id: changeId }, when: isChangeWritten(changeId) }),
    ),
  ).catch((error: unknown) => {
    if (!isUniqueViolation(error, "reports.sha256")) throw error;
    const failed = { ...auditEvent(access, "report.move", id), subjects: [access.patient.id, target.patient.id] };
    return failWithAudit(call, "conflict", failed, SAME_FILE);
  });
  return showReport(call, target, next);
}

/** Roles that may correct may read names. */
const showReport = (call: Call, { patient }: Access, row: ReportRow) => toReport(call, row, patient, true);

/** A request that changes nothing reads the report, and is recorded as a read. */
async function showUnchanged(call: Call, access: Access, row: ReportRow) {
  const { db, actor, now } = call;
  await batch(db, recordAuditEvent(db, actor, now, { ...auditEvent(access, "report.read", row.id), action: "R" }));
  return showReport(call, access, row);
}
