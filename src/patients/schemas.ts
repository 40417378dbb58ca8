// API schemas of patients, and the filters of their lists.
import { z } from "@hono/zod-openapi";
import { booleanParam, pageQuery } from "../http/pagination.ts";
import { EXAMPLES, Id, PatientRef, TimeInput, Timestamp } from "../http/router.ts";
import { singleLine } from "../platform/text.ts";
import { AadhaarNumber } from "./identity/aadhaar.ts";
import { clinicalFields, identityFields } from "./identity/sealed-fields.ts";
import { Monitoring, NewPatientBody } from "./new-patient.ts";
import { isRecordedField } from "./record/changes.ts";

export const PatientSummary = z
  .object({
    patient_id: Id,
    patient_number: z.number().int(),
    patient_uid: z.string().nullable().openapi({ description: "Random identifier of the person, the same at every hospital" }),
    uid_basis: z
      .enum(["staff", "self"])
      .nullable()
      .openapi({ description: "Who confirmed the numbers: staff with a document, or the person" }),
    hospital_id: Id,
    ward_id: Id.nullable(),
    monitoring: Monitoring,
    assigned_doctor_id: Id.nullable(),
    is_active: z.boolean(),
    first_name: z.string(),
    last_name: z.string().nullable(),
    gender: z.enum(["male", "female", "other", "unknown"]),
    date_of_birth: z.string().nullable(),
    phone: z.string().nullable(),
    email: z.string().nullable(),
    address: z.string().nullable(),
    aadhaar_last4: z.string().nullable(),
    abha_number: z.string().nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("PatientSummary");

export const Patient = PatientSummary.extend({
  medical_history: z.string().nullable(),
  notes: z.string().nullable(),
  symptoms: z.array(z.string()),
}).openapi("Patient");

export const exampleSummary = {
  patient_id: EXAMPLES.patient,
  patient_number: 1042,
  patient_uid: "mfrggzdfmztwq2lkonsw23tpoa",
  uid_basis: "staff" as const,
  hospital_id: EXAMPLES.hospital,
  ward_id: null,
  monitoring: "off" as const,
  assigned_doctor_id: EXAMPLES.user,
  is_active: true,
  first_name: "Asha",
  last_name: "Verma",
  gender: "female" as const,
  date_of_birth: "1964-03-04",
  phone: "+91 98765 43210",
  email: "asha.verma@example.org",
  address: "12 Lake Road, Pune",
  aadhaar_last4: "0019",
  abha_number: null,
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};
export const examplePatient = {
  ...exampleSummary,
  medical_history: "Hypertension since 2015.",
  notes: null,
  symptoms: ["palpitations"],
};

export const NewPatient = NewPatientBody.extend({
  hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital, description: "Required for administrators" }),
  duplicate_reason: singleLine(200)
    .optional()
    .openapi({ description: "Registers the patient although similar records exist: why it is another person" }),
}).openapi("NewPatient");

/** Every field is optional without a default: absent fields stay unchanged. */
export const PatientChange = z
  .strictObject({
    first_name: identityFields.first_name.optional(),
    last_name: identityFields.last_name.unwrap().optional(),
    gender: identityFields.gender.unwrap().optional(),
    date_of_birth: identityFields.date_of_birth.unwrap().optional(),
    phone: identityFields.phone.unwrap().optional(),
    email: identityFields.email.unwrap().optional(),
    address: identityFields.address.unwrap().optional(),
    medical_history: clinicalFields.medical_history.unwrap().optional(),
    notes: clinicalFields.notes.unwrap().optional(),
    symptoms: clinicalFields.symptoms.unwrap().optional(),
    aadhaar_number: AadhaarNumber.optional(),
    abha_number: identityFields.abha_number.unwrap().optional(),
    assigned_doctor_id: Id.nullable().optional(),
    ward_id: Id.nullable().optional(),
    monitoring: Monitoring.optional(),
    is_active: z.boolean().optional().openapi({ description: "false ends monitoring; requires a reason" }),
    reason: singleLine(200)
      .optional()
      .openapi({ description: "Why identity, monitoring or is_active is changed; kept in the history of changes" }),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .refine(({ is_active, reason }) => is_active === undefined || reason !== undefined, {
    path: ["reason"],
    message: "Required to change is_active",
  })
  .refine(({ reason, ...change }) => reason === undefined || Object.keys(change).some(isRecordedField), {
    path: ["reason"],
    message: "Only with a field of which the history of changes is kept",
  })
  .openapi("PatientChange");

export const patientParam = z.object({ patient_id: PatientRef });

const optionalTime = TimeInput.optional();
export const patientQuery = z.strictObject({
  ...pageQuery,
  sort: z
    .enum(["number", "-number", "created", "-created", "updated", "-updated"])
    .optional()
    .openapi({ description: "Default: newest first, by the filtered time, else by number" }),
  monitoring: Monitoring.optional(),
  ward_id: Id.optional(),
  assigned_doctor_id: Id.optional(),
  active: booleanParam.optional(),
  patient_uid: z
    .string()
    .max(26)
    .regex(/^[a-z2-7]{26}$/)
    .optional()
    .openapi({ example: "mfrggzdfmztwq2lkonsw23tpoa" }),
  created_from: optionalTime.openapi({ description: "Registered at or after" }),
  created_to: optionalTime.openapi({ description: "Registered before" }),
  updated_from: optionalTime.openapi({ description: "Changed at or after" }),
  updated_to: optionalTime.openapi({ description: "Changed before" }),
  hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }),
});

export const searchQuery = z.strictObject({
  ...pageQuery,
  q: z
    .string()
    .max(320)
    .refine((q) => Array.from(q.trim()).length >= 2 || /^[\p{L}\p{N}]$/u.test(q.trim()), "Must have at least two characters")
    .openapi({
      example: "ash",
      minLength: 1,
      description:
        "Prefixes of names, any spelling or the last four digits or more of a phone number, or an e-mail address; every word must match. A single letter finds names that are this letter",
    }),
  hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital, description: "Required for administrators" }),
});
