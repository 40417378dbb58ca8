// What an intake form asks, and the answers to it.
import { z } from "@hono/zod-openapi";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { multiLine, singleLine } from "../../platform/text.ts";
import { clinicalFields, identityFields } from "../identity/sealed-fields.ts";
import { IntakeBody } from "../record/intake.ts";

/** Fields of the record that a form may ask for. */
export const IDENTITY_FIELDS = ["first_name", "last_name", "date_of_birth", "gender", "phone", "email", "address"] as const;
/** What becomes an intake response; symptoms become the patient's too. */
export const CLINICAL_FIELDS = ["chief_complaint", "symptoms", "allergies", "medications"] as const;
export const FORM_FIELDS = [...IDENTITY_FIELDS, ...CLINICAL_FIELDS] as const;
export type FormField = (typeof FORM_FIELDS)[number];
export const MAX_QUESTIONS = 30;

const questionKey = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
export const Question = z.strictObject({ key: questionKey, label: singleLine(200) });

const hasDifferent = (values: readonly unknown[]) => new Set(values).size === values.length;
export const formFields = {
  fields: z.array(z.enum(FORM_FIELDS)).max(FORM_FIELDS.length).refine(hasDifferent, "Names a field twice"),
  questions: z
    .array(Question)
    .max(MAX_QUESTIONS)
    .refine((questions) => hasDifferent(questions.map(({ key }) => key)), "Has a key twice")
    .default([]),
};
const StoredForm = z.object({
  fields: z.array(z.enum(FORM_FIELDS)),
  questions: z.array(z.object({ key: z.string(), label: z.string() })),
});
export type IntakeForm = z.output<typeof StoredForm>;

/** The answers; what was not answered is absent. */
export const Answers = z
  .strictObject({
    first_name: identityFields.first_name.optional(),
    last_name: singleLine(100).optional().openapi({ example: "Verma" }),
    date_of_birth: identityFields.date_of_birth.unwrap().unwrap().optional(),
    gender: identityFields.gender.unwrap().optional(),
    phone: identityFields.phone.unwrap().unwrap().optional(),
    email: identityFields.email.unwrap().unwrap().optional(),
    address: multiLine(500).optional().openapi({ example: "12 Lake Road, Pune" }),
    chief_complaint: multiLine(2_000).optional().openapi({ example: "Palpitations since Monday" }),
    symptoms: clinicalFields.symptoms.unwrap().optional(),
    allergies: IntakeBody.shape.allergies.unwrap().optional(),
    medications: IntakeBody.shape.medications.unwrap().optional(),
    answers: z
      .record(questionKey, multiLine(2_000))
      .refine((answers) => Object.keys(answers).length <= MAX_QUESTIONS, `At most ${MAX_QUESTIONS} answers`)
      .optional()
      .openapi({ example: { smoker: "no" } }),
  })
  .refine((answers) => Object.keys(answers).length > 0, "At least one answer is required")
  .openapi("IntakeAnswers");
export type IntakeAnswers = z.output<typeof Answers>;
/** As stored: validated before, so that a later rule does not make it unreadable. */
const StoredAnswers = z.object({
  ...Object.fromEntries([...IDENTITY_FIELDS, "chief_complaint"].map((field) => [field, z.string().optional()])),
  symptoms: z.array(z.string()).optional(),
  allergies: z.array(z.string()).optional(),
  medications: z.array(z.string()).optional(),
  answers: z.record(z.string(), z.string()).optional(),
}) as unknown as z.ZodType<IntakeAnswers>;

/** Paths of answers that the form does not ask for. */
export function findUnasked(form: IntakeForm, { answers = {}, ...fields }: IntakeAnswers): string[] {
  const asked: readonly string[] = form.fields;
  const keys = form.questions.map(({ key }) => key);
  return [
    ...Object.keys(fields).filter((field) => !asked.includes(field)),
    ...Object.keys(answers)
      .filter((key) => !keys.includes(key))
      .map((key) => `answers.${key}`),
  ];
}

const formContext = (id: string) => ({ table: "intake_links", column: "form", id });
const answersContext = (id: string) => ({ table: "intake_submissions", column: "answers", id });
const decisionContext = (id: string) => ({ table: "intake_submissions", column: "decision", id });

export const sealForm = (keys: Keys, id: string, form: IntakeForm) => sealValue(keys.fields, formContext(id), form);
export const readForm = (keys: Keys, id: string, sealed: string) => readSealed(keys.fields, formContext(id), sealed, StoredForm);
export const sealAnswers = (keys: Keys, id: string, answers: IntakeAnswers) =>
  sealValue(keys.fields, answersContext(id), answers);
export const readAnswers = (keys: Keys, id: string, sealed: string) =>
  readSealed(keys.fields, answersContext(id), sealed, StoredAnswers);

/** What staff decided: the fields that they took over, or why they took nothing. */
const Decision = z.object({ taken: z.array(z.string()), reason: z.string().nullable() });
export const sealDecision = (keys: Keys, id: string, decision: z.output<typeof Decision>) =>
  sealValue(keys.fields, decisionContext(id), decision);
export const readDecision = (keys: Keys, id: string, sealed: string) =>
  readSealed(keys.fields, decisionContext(id), sealed, Decision);
