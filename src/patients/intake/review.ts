// The review of an intake: staff take over field by field, into the record or a new one, or reject it. One batch each.
import { type SQL, sql } from "drizzle-orm";
import type { Call } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { failWithAudit } from "../../access/deny.ts";
import { failsUnless } from "../../access/sign-in.ts";
import { type ExpectedVersion, matchVersion } from "../../http/conditional-requests.ts";
import { sealValue } from "../../platform/crypto.ts";
import { batch, isRoleChanged, type Statement } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { createPatient } from "../create-patient.ts";
import { NewPatientBody } from "../new-patient.ts";
import { IntakeBody, intakeContext } from "../record/intake.ts";
import { type PatientChange, updatePatient } from "../update-patient.ts";
import { CLINICAL_FIELDS, type FormField, IDENTITY_FIELDS, type IntakeAnswers, readAnswers, sealDecision } from "./form.ts";
import { requireSubmission, type SubmissionRow, submissionEvent, toSubmission } from "./submissions.ts";

/** `answers`: the answers to the form's own questions. */
export type TakenField = FormField | "answers";
export type Take = {
  /** The record that gets the answers; needed where the submission has none. */
  patient_id?: string | undefined;
  /** Registers a new patient instead. */
  create?: true | undefined;
  duplicate_reason?: string | undefined;
  take: readonly TakenField[];
  /** Why what identifies the person changes; kept in the history of changes. */
  reason?: string | undefined;
};

type Review = Awaited<ReturnType<typeof requireSubmission>>;

async function requireOpen(anyCall: Call, id: string, expected: ExpectedVersion, event: "intake.take" | "intake.reject") {
  const review = await requireSubmission(anyCall, id);
  const { call, effectiveRole, row } = review;
  const failure = submissionEvent(event, "U", { role: effectiveRole.role }, row);
  if (row.state !== "submitted") return failWithAudit(call, "conflict", failure, "The intake was reviewed already.");
  if (row.version !== matchVersion(expected, row.version)) return failWithAudit(call, "precondition_failed", failure);
  return review;
}

const isUnreviewed = ({ id, version }: SubmissionRow): SQL =>
  sql`EXISTS (SELECT 1 FROM intake_submissions WHERE id = ${id} AND version = ${version} AND state = 'submitted')`;

const pick = <T extends string>(answers: IntakeAnswers, fields: readonly T[], taken: readonly string[]) =>
  Object.fromEntries(
    fields.flatMap((field) => {
      const value = (answers as Record<string, unknown>)[field];
      return taken.includes(field) && value !== undefined ? [[field, value]] : [];
    }),
  );

/** What the taken answers change of the record, and the intake response that they become; null where nothing clinical is taken. */
function split(answers: IntakeAnswers, taken: readonly TakenField[]) {
  const identity = pick(answers, IDENTITY_FIELDS, taken);
  const clinical = pick(answers, [...CLINICAL_FIELDS, "answers"], taken);
  const symptoms = taken.includes("symptoms") && answers.symptoms ? { symptoms: [...answers.symptoms] } : {};
  const intake = Object.keys(clinical).length === 0 ? null : IntakeBody.parse(clinical);
  return { change: { ...identity, ...symptoms } as PatientChange, identity, intake };
}

function assertAnswered(answers: IntakeAnswers, taken: readonly TakenField[]): void {
  const errors = taken.flatMap((field, i) =>
    answers[field] === undefined ? [{ path: `take.${i}`, message: "Was not answered", code: "unanswered" }] : [],
  );
  if (errors.length > 0) throw new ApiError("invalid_request", "Some fields were not answered; see errors.", { errors });
}

/** Ends the submission and stores the intake response, behind the change of the record. */
async function settle(
  { call, effectiveRole, row }: Review,
  patientId: string,
  taken: readonly string[],
  intake: object | null,
): Promise<(when: SQL) => Statement[]> {
  const { db, keys, actor, now } = call;
  const intakeId = intake === null ? null : uuidv7();
  const decision = await sealDecision(keys, row.id, { taken: [...taken], reason: null });
  const author = unlessFull(actor.userId, ROW_LIMITS.intakes, sql`intake_responses WHERE patient_id = ${patientId}`);
  const sealed = intakeId === null ? null : await sealValue(keys.fields, intakeContext(intakeId), intake);
  const insert = (when: SQL) =>
    db.run(sql`INSERT INTO intake_responses (id, patient_id, answers_sealed, authored_by, authored_at)
      SELECT ${intakeId}, ${patientId}, ${sealed}, ${author}, CAST(${now} AS INTEGER) WHERE ${when}`);
  return (when) => [
    ...(sealed === null ? [] : [insert(when)]),
    db.run(sql`UPDATE intake_submissions SET state = 'taken', patient_id = ${patientId}, intake_id = ${intakeId},
      decision_sealed = ${decision}, reviewed_by = ${actor.userId}, reviewed_at = CAST(${now} AS INTEGER), version = version + 1
      WHERE id = ${row.id} AND ${when}`),
    ...recordAuditEvent(db, actor, now, {
      ...submissionEvent("intake.take", "U", { role: effectiveRole.role }, { ...row, patientId }),
      detail: { fields: [...taken], ...(intakeId !== null && { intake_id: intakeId }) },
      when,
    }),
  ];
}

const lost = (error: unknown): unknown =>
  isRoleChanged(error) ? new ApiError("conflict", "The intake was reviewed meanwhile.") : toLimitError(error, ROW_LIMITS.intakes);

/**
 * Takes the named answers into the record of the submission, into another one, or into a new one.
 * @throws ApiError not_found, forbidden, precondition_failed, conflict, invalid_request, possible_duplicate, limit_reached
 */
export async function takeSubmission(anyCall: Call, id: string, expected: ExpectedVersion, input: Take) {
  const review = await requireOpen(anyCall, id, expected, "intake.take");
  const answers = await readAnswers(review.call.keys, id, review.row.answersSealed);
  assertAnswered(answers, input.take);
  const ref = review.row.patientId ?? input.patient_id;
  if (review.row.patientId !== null && (input.create || (input.patient_id && input.patient_id !== review.row.patientId)))
    throw invalidTarget("The intake is of a record already");
  if (ref !== undefined && input.create) throw invalidTarget("Either a record or create");
  if (ref === undefined && !input.create) throw invalidTarget("Name the record, or create one");
  await (ref === undefined ? takeIntoNew(review, answers, input) : takeInto(review, ref, answers, input));
  return getTaken(anyCall, id);
}

const invalidTarget = (message: string) =>
  new ApiError("invalid_request", undefined, { errors: [{ path: "patient_id", message, code: "custom" }] });

async function getTaken(anyCall: Call, id: string) {
  const { call, row, patient } = await requireSubmission(anyCall, id);
  return toSubmission(call, row, patient);
}

async function takeInto(review: Review, patientId: string, answers: IntakeAnswers, { take, reason }: Take): Promise<void> {
  const { call, row } = review;
  const { change, intake } = split(answers, take);
  const settled = await settle(review, patientId, take, intake);
  await updatePatient(
    call,
    patientId,
    "*",
    { ...change, ...(reason !== undefined && { reason }) },
    {
      before: [failsUnless(call.db, isUnreviewed(row))],
      after: settled,
    },
  ).catch((error: unknown) => {
    throw lost(error);
  });
}

async function takeIntoNew(review: Review, answers: IntakeAnswers, input: Take): Promise<void> {
  const { call, row } = review;
  const { identity, intake } = split(answers, input.take);
  const symptoms = input.take.includes("symptoms") ? { symptoms: [...(answers.symptoms ?? [])] } : {};
  const body = NewPatientBody.safeParse({ ...identity, ...symptoms });
  if (!body.success) throw new ApiError("invalid_request", "A new record needs a first name.");
  const id = uuidv7();
  const settled = await settle(review, id, input.take, intake);
  const registration = { ...body.data, id, duplicate_reason: input.duplicate_reason };
  const before = () => [failsUnless(call.db, isUnreviewed(row))];
  await createPatient(call, registration, before, () => settled(sql`1`)).catch((error: unknown) => {
    throw lost(error);
  });
}

/** @throws ApiError not_found, precondition_failed, conflict */
export async function rejectSubmission(anyCall: Call, id: string, expected: ExpectedVersion, reason: string) {
  const review = await requireOpen(anyCall, id, expected, "intake.reject");
  const { call, effectiveRole, row, patient } = review;
  const { db, keys, actor, now } = call;
  const decision = await sealDecision(keys, id, { taken: [], reason });
  const event = submissionEvent("intake.reject", "U", { role: effectiveRole.role }, row);
  const [changed] = await batch(db, [
    db.all(sql`UPDATE intake_submissions SET state = 'rejected', decision_sealed = ${decision}, reviewed_by = ${actor.userId},
      reviewed_at = CAST(${now} AS INTEGER), version = version + 1
      WHERE id = ${id} AND version = ${row.version} AND state = 'submitted' RETURNING 1`),
    ...recordAuditEvent(db, actor, now, { ...event, when: sql`changes() > 0` }),
  ]);
  if (changed.length === 0) return failWithAudit(call, "precondition_failed", event);
  const after = { ...row, state: "rejected" as const, decisionSealed: decision, version: row.version + 1 };
  return toSubmission(call, { ...after, reviewedBy: actor.userId, reviewedAt: now }, patient);
}
