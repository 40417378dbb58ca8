// Intake: what a patient or the desk answers before a visit, each response kept as it was given (FHIR QuestionnaireResponse).
import { z } from "@hono/zod-openapi";
import { and, desc, eq, sql } from "drizzle-orm";
import { requirePatient } from "../../access/access.ts";
import { type Call, idOf } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { refuse } from "../../access/refusals.ts";
import type { Taking } from "../../http/idempotency.ts";
import { open, seal } from "../../platform/crypto.ts";
import { batch, isUnmet } from "../../platform/db/client.ts";
import { intakeResponses, patients } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { line, prose } from "../../platform/text.ts";
import { clinicalFields, openClinical, openIdentity, sealPatient } from "../identity/identity.ts";
import { patientEvent } from "../patients.ts";

const list = (max: number) => z.array(line(max)).max(50).default([]);

export const IntakeBody = z.strictObject({
  chief_complaint: prose(2_000).nullable().default(null).openapi({ example: "Palpitations since Monday" }),
  symptoms: clinicalFields.symptoms,
  allergies: list(200).openapi({ example: ["penicillin"] }),
  medications: list(200).openapi({ example: ["metoprolol 50 mg"] }),
  /** Further questions of the form, by their link id. */
  answers: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/), prose(2_000))
    .refine((answers) => Object.keys(answers).length <= 100, "At most 100 answers")
    .default({})
    .openapi({ example: { smoker: "no" } }),
});
export type Intake = z.output<typeof IntakeBody>;

const place = (id: string) => ({ table: "intake_responses", column: "answers", id });
/** Desks that write to one patient at the same moment take turns. */
const TRIES = 30;

/**
 * Keeps a response; its symptoms become the patient's present ones.
 * @throws ApiError not_found, forbidden
 */
export async function recordIntake(call: Call, ref: string, input: Intake, taking: Taking) {
  const { db, keys, actor, now } = call;
  for (let left = TRIES; left > 0; left--) {
    const access = await requirePatient(call, { patient: ref }, "patient:update");
    const { patient } = access;
    const [identity, clinical] = await Promise.all([openIdentity(keys, patient), openClinical(keys, patient)]);
    const next = patient.version + 1;
    const sealed = await sealPatient(keys, patient.id, next, identity, { ...clinical, symptoms: input.symptoms });
    const id = uuidv7();
    // Without its row the whole batch fails: somebody changed the patient meanwhile, and the next round sees how.
    const unchanged = sql<string>`(SELECT ${id} FROM patients WHERE id = ${patient.id} AND version = ${patient.version})`;
    try {
      await batch(db, [
        ...taking(id),
        db.insert(intakeResponses).values({
          id: unchanged,
          patientId: patient.id,
          answersSealed: await seal(keys.fields, place(id), input),
          authoredBy: idOf(actor),
          authoredAt: now,
        }),
        db
          .update(patients)
          .set({ ...sealed, updatedAt: now, version: next })
          .where(and(eq(patients.id, patient.id), eq(patients.version, patient.version))),
        ...audit(db, actor, now, { ...patientEvent(access, "intake.record", "C"), detail: { intake_id: id } }),
      ]);
      return { intake_id: id, patient_id: patient.id, authored_by: idOf(actor), authored_at: iso(now), ...input };
    } catch (error) {
      if (!isUnmet(error, "intake_responses.id")) throw error;
    }
  }
  throw new ApiError("conflict", "Others are changing this patient; try again.");
}

const iso = (time: number) => new Date(time).toISOString();
type Row = typeof intakeResponses.$inferSelect;

async function toIntake({ keys }: Call, row: Row) {
  const intake = IntakeBody.parse(await open(keys.fields, place(row.id), row.answersSealed));
  const { id, patientId, authoredBy, authoredAt } = row;
  return { intake_id: id, patient_id: patientId, authored_by: authoredBy, authored_at: iso(authoredAt), ...intake };
}

/** The latest twenty responses, newest first. @throws ApiError not_found */
export async function listIntakes(call: Call, ref: string) {
  const { db, actor, now } = call;
  const access = await requirePatient(call, { patient: ref }, "patient:read");
  const newest = desc(intakeResponses.authoredAt);
  const [rows] = await batch(db, [
    db.select().from(intakeResponses).where(eq(intakeResponses.patientId, access.patient.id)).orderBy(newest).limit(20),
    ...audit(db, actor, now, patientEvent(access, "intake.read", "R")),
  ]);
  return Promise.all(rows.map((row) => toIntake(call, row)));
}

/** A response that an Idempotency-Key made before. @throws ApiError not_found */
export async function getIntake(call: Call, ref: string, intakeId: string) {
  const { db, actor, now } = call;
  const access = await requirePatient(call, { patient: ref }, "patient:read");
  const { patient, role, hospitalId } = access;
  const [[row]] = await batch(db, [
    db
      .select()
      .from(intakeResponses)
      .where(and(eq(intakeResponses.id, intakeId), eq(intakeResponses.patientId, patient.id))),
    ...audit(db, actor, now, { ...patientEvent(access, "intake.read", "R"), detail: { intake_id: intakeId } }),
  ]);
  if (!row) return refuse(call, "patient:read", "not_found", { role, hospitalId, target: { intake: intakeId } });
  return toIntake(call, row);
}
