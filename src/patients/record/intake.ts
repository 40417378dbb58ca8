// Intake questionnaires before a visit; each response is stored unchanged (FHIR QuestionnaireResponse).

import { z } from "@hono/zod-openapi";
import { and, count, eq, type SQL, sql } from "drizzle-orm";
import { type Call, getActorId } from "../../access/actor.ts";
import { afterAudit, appendAuditEvent, recordAuditEvent } from "../../access/audit.ts";
import { coverSpan } from "../../access/covered-access.ts";
import { denyAccess } from "../../access/deny.ts";
import { authorizePatient, withPatient } from "../../access/patient-access.ts";
import type { KeyStatements } from "../../http/idempotency.ts";
import { buildPage, keysetClauses, type PageQuery, resolvePageStart } from "../../http/pagination.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import { batch, isConditionFailed } from "../../platform/db/client.ts";
import { ROW_LIMITS, toLimitError, unlessFull } from "../../platform/db/row-limits.ts";
import { intakeResponses, patients } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { multiLine, singleLine } from "../../platform/text.ts";
import { toIso } from "../../platform/time.ts";
import { clinicalFields, sealPatient, unsealClinical, unsealIdentity } from "../identity/sealed-fields.ts";
import { patientEvent } from "../patients.ts";

const textList = (max: number) => z.array(singleLine(max)).max(50).default([]);

export const IntakeBody = z.strictObject({
  chief_complaint: multiLine(2_000).nullable().default(null).openapi({ example: "Palpitations since Monday" }),
  symptoms: clinicalFields.symptoms,
  allergies: textList(200).openapi({ example: ["penicillin"] }),
  medications: textList(200).openapi({ example: ["metoprolol 50 mg"] }),
  /** Additional questions of the form, by link id. */
  answers: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/), multiLine(2_000))
    .refine((answers) => Object.keys(answers).length <= 100, "At most 100 answers")
    .default({})
    .openapi({ example: { smoker: "no" } }),
});
export type Intake = z.output<typeof IntakeBody>;

export const intakeContext = (id: string) => ({ table: "intake_responses", column: "answers", id });
/** Retries for concurrent writes to one patient. */
const MAX_ATTEMPTS = 30;

/**
 * Stores a response; its symptoms become the patient's current symptoms.
 * @throws ApiError not_found, forbidden, limit_reached
 */
export async function recordIntake(call: Call, ref: string, input: Intake, keyStatements: KeyStatements) {
  const { db, keys, actor, now } = call;
  for (let attemptsLeft = MAX_ATTEMPTS; attemptsLeft > 0; attemptsLeft--) {
    const access = await authorizePatient(call, { patient: ref }, "patient:update");
    const { patient } = access;
    const [identity, clinical] = await Promise.all([unsealIdentity(keys, patient), unsealClinical(keys, patient)]);
    const nextVersion = patient.version + 1;
    const sealed = await sealPatient(keys, patient.id, nextVersion, identity, { ...clinical, symptoms: input.symptoms });
    const id = uuidv7();
    // The batch fails when the patient was changed concurrently; the next attempt reads the new version.
    const idIfUnchanged = sql<string>`(SELECT ${id} FROM patients WHERE id = ${patient.id} AND version = ${patient.version})`;
    try {
      await batch(db, [
        ...keyStatements(id),
        db.insert(intakeResponses).values({
          id: idIfUnchanged,
          patientId: patient.id,
          answersSealed: await sealValue(keys.fields, intakeContext(id), input),
          authoredBy: unlessFull(getActorId(actor), ROW_LIMITS.intakes, sql`intake_responses WHERE patient_id = ${patient.id}`),
          authoredAt: now,
        }),
        db
          .update(patients)
          .set({ ...sealed, updatedAt: now, version: nextVersion })
          .where(and(eq(patients.id, patient.id), eq(patients.version, patient.version))),
        ...recordAuditEvent(db, actor, now, { ...patientEvent(access, "intake.record", "C"), detail: { intake_id: id } }),
      ]);
      return { intake_id: id, patient_id: patient.id, authored_by: getActorId(actor), authored_at: toIso(now), ...input };
    } catch (error) {
      if (!isConditionFailed(error, "intake_responses.id")) throw toLimitError(error, ROW_LIMITS.intakes);
    }
  }
  throw new ApiError("conflict", "The patient was changed concurrently; try again.");
}

type IntakeRow = typeof intakeResponses.$inferSelect;

async function toIntake({ keys }: Call, row: IntakeRow) {
  const intake = IntakeBody.parse(await unsealValue(keys.fields, intakeContext(row.id), row.answersSealed));
  const { id, patientId, authoredBy, authoredAt } = row;
  return { intake_id: id, patient_id: patientId, authored_by: authoredBy, authored_at: toIso(authoredAt), ...intake };
}

/** Lists the responses, newest first. @throws ApiError not_found */
export async function listIntakes(call: Call, ref: string, query: PageQuery) {
  const start = await resolvePageStart(call, `intakes:${ref}`, query);
  const { where, orderBy } = keysetClauses(start, intakeResponses.authoredAt, intakeResponses.id);
  const select = (of: SQL | undefined) =>
    [
      call.db
        .select()
        .from(intakeResponses)
        .where(and(of, where))
        .orderBy(...orderBy)
        .limit(start.limit + 1)
        .offset(start.skip),
      call.db.select({ n: count() }).from(intakeResponses).where(of),
    ] as const;
  const checked = await withPatient(
    call,
    { patient: ref },
    "patient:read",
    (patientId) => select(sql`patient_id = ${patientId}`),
    { byConsent: true },
  );
  const whole = { kind: "medical_history", from: 0, to: call.now + 1 } as const;
  const { access, span } = await coverSpan(call, checked.access, "patient:read", whole);
  const isCovered = sql`patient_id = ${access.patient.id} AND authored_at >= ${span.from} AND authored_at < ${span.to}`;
  const [rows, [counted]] = access.grants ? await batch(call.db, select(isCovered)) : checked.results;
  const key = (row: IntakeRow) => ({ value: row.authoredAt, id: row.id });
  const { rows: pageRows, pagination } = await buildPage(start, rows, key, { n: counted?.n ?? 0, exact: true });
  const stored = appendAuditEvent(call, patientEvent(access, "intake.read", "R"));
  return { items: await afterAudit(stored, Promise.all(pageRows.map((row) => toIntake(call, row)))), pagination };
}

/** Returns the response that an Idempotency-Key created. @throws ApiError not_found */
export async function getIntake(call: Call, ref: string, intakeId: string) {
  const { access, results } = await withPatient(call, { patient: ref }, "patient:read", (patientId) => [
    call.db
      .select()
      .from(intakeResponses)
      .where(and(eq(intakeResponses.id, intakeId), eq(intakeResponses.patientId, patientId))),
  ]);
  const { role, hospitalId } = access;
  const [[row]] = results;
  if (!row) return denyAccess(call, "patient:read", "not_found", { role, hospitalId, target: { intake: intakeId } });
  const event = { ...patientEvent(access, "intake.read", "R"), detail: { intake_id: intakeId } };
  return afterAudit(appendAuditEvent(call, event), toIntake(call, row));
}
