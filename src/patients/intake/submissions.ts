// Submitted intakes: by patients and staff who are signed in; list and detail for the review.
import { type SQL, sql } from "drizzle-orm";
import { requireRole, withUser } from "../../access/access.ts";
import type { Call, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import type { AuditEvent } from "../../access/audit-event.ts";
import { denyNotFound } from "../../access/deny.ts";
import { authorizePatient } from "../../access/patient-access.ts";
import { OWN_RECORD, PATIENT_COLUMNS, type PatientRow } from "../../access/patient-row.ts";
import { patientVisibility } from "../../access/visibility.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, COUNT_LIMIT, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { batch } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import type { intakeSubmissions } from "../../platform/db/schema.ts";
import type { INTAKE_STATES } from "../../platform/db/vocabulary.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { nullIfCorrupt, openListItems } from "../../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";
import { unsealClinical, unsealIdentity } from "../identity/sealed-fields.ts";
import { FORM_FIELDS, type IntakeAnswers, readAnswers, readDecision, readForm, sealAnswers } from "./form.ts";

export type SubmissionRow = typeof intakeSubmissions.$inferSelect & { formSealed: string | null };
export const SUBMISSION_COLUMNS = sql`s.id AS id, s.hospital_id AS hospitalId, s.patient_id AS patientId, s.link_id AS linkId,
  s.source AS source, s.state AS state, s.answers_sealed AS answersSealed, s.submitted_by AS submittedBy,
  s.submitted_at AS submittedAt, s.reviewed_by AS reviewedBy, s.reviewed_at AS reviewedAt, s.decision_sealed AS decisionSealed,
  s.intake_id AS intakeId, s.version AS version,
  (SELECT k.form_sealed FROM intake_links k WHERE k.id = s.link_id) AS formSealed`;

export const submissionEvent = (
  event: string,
  action: "C" | "R" | "U",
  { role, basis }: Pick<AuditEvent, "role" | "basis">,
  { id, hospitalId, patientId }: Pick<SubmissionRow, "id" | "hospitalId" | "patientId">,
) => ({
  event,
  action,
  role,
  ...(basis !== undefined && { basis }),
  hospitalId,
  entity: { type: "intake_submission", id },
  subjects: patientId === null ? [] : [patientId],
});

/** The hospital and record of answers by somebody who is signed in. @throws ApiError not_found, forbidden, patient_ambiguous */
async function findPlace(call: Call, patientId: string | undefined) {
  const { actor } = call;
  const isStaff = actor.kind === "user" && actor.claimedRole.role !== "patient";
  if (patientId === undefined && isStaff) {
    const { effectiveRole } = await requireRole(call, "intake:submit");
    return { role: effectiveRole.role, hospitalId: effectiveRole.hospitalId ?? "", patientId: null };
  }
  const target = patientId === undefined ? OWN_RECORD : { patient: patientId };
  const { patient, role, basis, hospitalId } = await authorizePatient(call, target, "intake:submit");
  return { role, basis, hospitalId, patientId: patient.id };
}

/** @throws ApiError forbidden, not_found, limit_reached */
export async function submitIntake(
  call: Call,
  { patient_id: patientRef, answers }: { patient_id?: string | undefined; answers: IntakeAnswers },
  keyStatements: KeyStatements,
) {
  const { db, keys, actor, now } = call;
  if (actor.kind !== "user") {
    await requireRole(call, "intake:submit");
    throw new ApiError("forbidden");
  }
  const place = await findPlace(call, patientRef);
  const { hospitalId, patientId } = place;
  const source = place.role === "patient" ? "patient" : "staff";
  const id = uuidv7();
  const open = sql`intake_submissions WHERE hospital_id = ${hospitalId} AND state = 'submitted'`;
  const ofPatient = sql`intake_submissions WHERE patient_id = ${patientId} AND state = 'submitted'`;
  const answersSealed = await sealAnswers(keys, id, answers);
  await batch(db, [
    ...keyStatements(id),
    db.run(sql`INSERT INTO intake_submissions (id, hospital_id, patient_id, source, state, answers_sealed, submitted_by, submitted_at)
      VALUES (${id}, ${hospitalId}, ${patientId}, ${unlessFull(source, ROW_LIMITS.openSubmissions, open)}, 'submitted',
        ${unlessFull(answersSealed, ROW_LIMITS.patientSubmissions, ofPatient)}, ${actor.userId}, CAST(${now} AS INTEGER))`),
    ...recordAuditEvent(db, actor, now, submissionEvent("intake.submit", "C", place, { id, hospitalId, patientId })),
  ]).catch((error: unknown) => {
    throw toLimitError(error, ROW_LIMITS.openSubmissions, ROW_LIMITS.patientSubmissions);
  });
  return { submission_id: id, patient_id: patientId, state: "submitted" as const, submitted_at: toIso(now) };
}

/** What an idempotent submission created, for who made it. @throws ApiError not_found */
export async function replaySubmission(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "intake:submit", (_, { db, actor }) => [
    db.all<SubmissionRow>(
      sql`SELECT ${SUBMISSION_COLUMNS} FROM intake_submissions s WHERE s.id = ${id} AND s.submitted_by = ${actor.userId}`,
    ),
  ]);
  const [row] = results[0];
  if (!row) return denyNotFound(call, "intake:submit", effectiveRole, { intake_submission: id });
  const { role } = effectiveRole;
  await appendAuditEvent(call, submissionEvent("intake.submit", "R", { role }, row));
  return { submission_id: id, patient_id: row.patientId, state: row.state, submitted_at: toIso(row.submittedAt) };
}

/** Rows `s` of the caller's hospital; those of a record only where the caller sees it. */
export const isVisibleSubmission = (effectiveRole: UserEffectiveRole, actor: UserActor): SQL =>
  sql`s.hospital_id = ${effectiveRole.hospitalId} AND (s.patient_id IS NULL
    OR (${patientVisibility(effectiveRole, actor, sql`s.patient_id`, sql`s.hospital_id`)}))`;

const nameOf = ({ first_name, last_name }: IntakeAnswers) => [first_name, last_name].filter(Boolean).join(" ") || null;

export type SubmissionQuery = PageQuery & { state?: (typeof INTAKE_STATES)[number] | undefined };

/** Newest first. */
export async function listSubmissions(anyCall: Call, query: SubmissionQuery) {
  const start = await resolvePageStart(anyCall, "intake_submissions", query);
  const { call, effectiveRole, results } = await withUser(anyCall, "intake:review", (effectiveRole, { db, actor }) => {
    const isInState = query.state ? sql`s.state = ${query.state}` : sql`1`;
    const rows = sql`intake_submissions s WHERE ${isVisibleSubmission(effectiveRole, actor)} AND ${isInState}`;
    const after = start.after ? sql`(s.submitted_at, s.id) < (${start.after.value}, ${start.after.id})` : sql`1`;
    return [
      db.all<SubmissionRow>(sql`SELECT ${SUBMISSION_COLUMNS} FROM ${rows} AND ${after}
        ORDER BY s.submitted_at DESC, s.id DESC LIMIT ${start.limit + 1} OFFSET ${start.skip}`),
      db.all<{ n: number }>(sql`SELECT count(*) AS n FROM (SELECT 1 FROM ${rows} LIMIT ${COUNT_LIMIT + 1})`),
    ];
  });
  const [found, [counted]] = results;
  const key = (row: SubmissionRow) => ({ value: row.submittedAt, id: row.id });
  const { rows, pagination } = await buildPage(start, found, key, { n: counted?.n ?? 0, exact: false });
  const { role, hospitalId } = effectiveRole;
  const subjects = rows.flatMap(({ patientId }) => patientId ?? []);
  const stored = appendAuditEvent(call, {
    ...{ event: "intake.list", action: "R", role, hospitalId, subjects },
    detail: { count: rows.length },
  });
  const items = openListItems(call.actor.via.requestId, rows, async (row, onCorrupt) => {
    const answers = await nullIfCorrupt(readAnswers(call.keys, row.id, row.answersSealed), onCorrupt);
    return {
      ...toOverview(row),
      name: answers && nameOf(answers),
      chief_complaint: answers?.chief_complaint ?? null,
    };
  });
  return { items: (await afterAudit(stored, items)).items, pagination };
}

const toOverview = (row: SubmissionRow) => ({
  submission_id: row.id,
  patient_id: row.patientId,
  source: row.source,
  state: row.state,
  submitted_by: row.submittedBy,
  submitted_at: toIso(row.submittedAt),
  reviewed_by: row.reviewedBy,
  reviewed_at: toIsoOrNull(row.reviewedAt),
  version: row.version,
});

type ReviewRow = SubmissionRow & { patient: string | null };

/** The submission with the row of its record, and whether the caller may review it. @throws ApiError not_found */
export async function requireSubmission(anyCall: Call, id: string) {
  const { call, effectiveRole, results } = await withUser(anyCall, "intake:review", (effectiveRole, { db, actor }) => [
    db.all<ReviewRow>(sql`SELECT ${SUBMISSION_COLUMNS} FROM intake_submissions s
      WHERE s.id = ${id} AND ${isVisibleSubmission(effectiveRole, actor)}`),
    db.all<PatientRow>(sql`SELECT ${PATIENT_COLUMNS} FROM patients JOIN intake_submissions s ON s.patient_id = patients.id
      WHERE s.id = ${id} AND ${isVisibleSubmission(effectiveRole, actor)}`),
  ]);
  const [[row], [patient]] = results;
  if (!row) return denyNotFound(call, "intake:review", effectiveRole, { intake_submission: id });
  return { call, effectiveRole, row, patient: patient ?? null };
}

/** What the record says of the fields that a form asks for. */
async function currentValues({ keys }: Call, patient: PatientRow) {
  const [identity, clinical] = await Promise.all([unsealIdentity(keys, patient), unsealClinical(keys, patient)]);
  const { first_name, last_name, date_of_birth, gender, phone, email, address } = identity;
  return { first_name, last_name, date_of_birth, gender, phone, email, address, symptoms: clinical.symptoms };
}

export async function toSubmission(call: Call, row: SubmissionRow, patient: PatientRow | null) {
  const { keys } = call;
  const [answers, form, decision, current] = await Promise.all([
    readAnswers(keys, row.id, row.answersSealed),
    row.formSealed !== null && row.linkId !== null ? readForm(keys, row.linkId, row.formSealed) : null,
    row.decisionSealed === null ? null : readDecision(keys, row.id, row.decisionSealed),
    patient && currentValues(call, patient),
  ]);
  return {
    ...toOverview(row),
    answers,
    questions: form?.questions ?? [],
    fields: form?.fields ?? [...FORM_FIELDS],
    current,
    patient_version: patient?.version ?? null,
    taken: decision?.taken ?? [],
    reason: decision?.reason ?? null,
    intake_id: row.intakeId,
  };
}

/** The answers beside what the record says. @throws ApiError not_found */
export async function getSubmission(anyCall: Call, id: string) {
  const { call, effectiveRole, row, patient } = await requireSubmission(anyCall, id);
  const { role } = effectiveRole;
  const stored = appendAuditEvent(call, submissionEvent("intake.review", "R", { role }, row));
  return afterAudit(stored, toSubmission(call, row, patient));
}
