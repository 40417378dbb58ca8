// Patient: create, list, read, update, care team.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../idempotency.ts";
import { pageQuery } from "../pagination.ts";
import {
  answer,
  body,
  EXAMPLE,
  etag,
  Id,
  ifMatch,
  matchHeaders,
  newRouter,
  ok,
  onceHeaders,
  page,
  pageAnswer,
  problems,
  SECURED,
  Timestamp,
} from "../router.ts";
import { changeTeam, listTeam } from "./care-team.ts";
import { clinicalFields, identityFields } from "./identity.ts";
import { createPatient, getPatient, listPatients, updatePatient } from "./patients.ts";

const Monitoring = z.enum(["off", "home", "ward"]);

const PatientSummary = z
  .object({
    patient_id: Id,
    patient_number: z.number().int(),
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
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("PatientSummary");

const Patient = PatientSummary.extend({
  medical_history: z.string().nullable(),
  notes: z.string().nullable(),
  symptoms: z.array(z.string()),
}).openapi("Patient");

const summary = {
  patient_id: EXAMPLE.patient,
  patient_number: 1042,
  hospital_id: EXAMPLE.hospital,
  ward_id: null,
  monitoring: "off" as const,
  assigned_doctor_id: EXAMPLE.user,
  is_active: true,
  first_name: "Asha",
  last_name: "Verma",
  gender: "female" as const,
  date_of_birth: "1964-03-04",
  phone: "+91 98765 43210",
  email: "asha.verma@example.org",
  address: "12 Lake Road, Pune",
  created_at: EXAMPLE.time,
  updated_at: EXAMPLE.time,
  version: 1,
};
const detail = { ...summary, medical_history: "Hypertension since 2015.", notes: null, symptoms: ["palpitations"] };

const fields = {
  ...identityFields,
  ...clinicalFields,
  assigned_doctor_id: Id.nullable().default(null),
  monitoring: Monitoring.default("off"),
};
const NewPatient = z
  .strictObject({ ...fields, hospital_id: Id.optional().openapi({ description: "Needed from administrators" }) })
  .openapi("NewPatient");
/** Every field optional and without its default: what is absent stays. */
const PatientChange = z
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
    assigned_doctor_id: Id.nullable().optional(),
    monitoring: Monitoring.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "Nothing to change")
  .openapi("PatientChange");

const patientParam = z.object({
  patient_id: z.string().min(1).max(64).openapi({ description: "Id or patient_number", example: EXAMPLE.patient }),
});
const listQuery = z.strictObject({
  ...pageQuery,
  sort: z.enum(["number", "-number", "updated", "-updated"]).default("-number").openapi({ example: "-number" }),
  monitoring: Monitoring.optional(),
});
const teamParam = patientParam.extend({ user_id: Id.openapi({ example: EXAMPLE.user }) });
const TeamRef = z.object({ patient_id: Id, user_id: Id });
const teamRef = { patient_id: EXAMPLE.patient, user_id: EXAMPLE.user };
const tags = ["Patient"];

const listRoute = <P extends string>(path: P) =>
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Patients that I may see",
    security: SECURED,
    request: { query: listQuery },
    responses: { 200: pageAnswer(PatientSummary, "By number or last change", summary), ...problems(401, 403) },
  });

export const patientRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients",
      tags,
      summary: "Register a patient",
      security: SECURED,
      request: {
        headers: onceHeaders,
        body: body(NewPatient, {
          first_name: "Asha",
          last_name: "Verma",
          gender: "female",
          date_of_birth: "1964-03-04",
          phone: "+91 98765 43210",
          medical_history: "Hypertension since 2015.",
          symptoms: ["palpitations"],
        }),
      },
      responses: { 201: answer(Patient, "The patient", detail), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (taking: Taking) => createPatient(call, input, taking);
      const patient = await once(call, await readClaim(c, "patient.create"), input, create, (id) => getPatient(call, id));
      c.header("ETag", etag(patient.version));
      return ok(c, patient, 201);
    },
  )
  .openapi(listRoute("/patients"), async (c) => page(c, await listPatients(c.get("call"), c.req.valid("query"))))
  .openapi(listRoute("/patients/list"), async (c) => page(c, await listPatients(c.get("call"), c.req.valid("query"))))
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}",
      tags,
      summary: "One patient with history and symptoms",
      security: SECURED,
      request: { params: patientParam },
      responses: { 200: answer(Patient, "The patient", detail), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const patient = await getPatient(c.get("call"), c.req.valid("param").patient_id);
      c.header("ETag", etag(patient.version));
      return ok(c, patient);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/patients/{patient_id}",
      tags,
      summary: "Change a patient (needs If-Match)",
      security: SECURED,
      request: { params: patientParam, headers: matchHeaders, body: body(PatientChange, { phone: "+91 98765 00000" }) },
      responses: { 200: answer(Patient, "The patient", detail), ...problems(401, 403, 404, 412, 413, 415, 428) },
    }),
    async (c) => {
      const patient = await updatePatient(c.get("call"), c.req.valid("param").patient_id, ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(patient.version));
      return ok(c, patient);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/care-team",
      tags,
      summary: "Who looks after the patient",
      security: SECURED,
      request: { params: patientParam },
      responses: {
        200: answer(
          z.array(z.object({ user_id: Id, full_name: z.string(), role: z.string().nullable(), since: Timestamp })),
          "Present members",
          [{ user_id: EXAMPLE.user, full_name: "Asha Rao", role: "doctor", since: EXAMPLE.time }],
        ),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await listTeam(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/patients/{patient_id}/care-team/{user_id}",
      tags,
      summary: "Add a doctor or nurse to the care team",
      security: SECURED,
      request: { params: teamParam },
      responses: { 200: answer(TeamRef, "The member", teamRef), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { patient_id, user_id } = c.req.valid("param");
      return ok(c, { patient_id: await changeTeam(c.get("call"), patient_id, user_id, "join"), user_id });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/care-team/{user_id}",
      tags,
      summary: "Take somebody out of the care team",
      security: SECURED,
      request: { params: teamParam },
      responses: { 200: answer(TeamRef, "The member who left", teamRef), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { patient_id, user_id } = c.req.valid("param");
      return ok(c, { patient_id: await changeTeam(c.get("call"), patient_id, user_id, "leave"), user_id });
    },
  );
