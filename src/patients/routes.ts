// Routes: patients.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../http/conditional-requests.ts";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../http/idempotency.ts";
import { limitIdentity } from "../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  HAS_ETAG,
  Id,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
} from "../http/router.ts";
import { createPatient } from "./create-patient.ts";
import { identifyPerson } from "./identity/person.ts";
import { listPatients, searchPatients } from "./list-patients.ts";
import { deletePatient, getPatient } from "./patients.ts";
import { getPatientWithWard } from "./record/patient-with-ward.ts";
import {
  examplePatient,
  exampleSummary,
  NewPatient,
  Patient,
  PatientChange,
  PatientSummary,
  patientParam,
  patientQuery,
  searchQuery,
} from "./schemas.ts";
import { updatePatient } from "./update-patient.ts";

const tags = ["Patient"];

const createListRoute = <P extends string>(path: P) =>
  createRoute({
    method: "get",
    path,
    tags,
    summary: "List patients",
    security: BEARER_AUTH,
    request: { query: patientQuery },
    responses: {
      200: { ...pageResponse(PatientSummary, "Ordered by number or time", exampleSummary), ...HAS_ETAG },
      ...problemResponses(401, 403),
    },
  });

const PatientWithWard = Patient.extend({
  ward_name: z.string().nullable(),
  emergency_access_id: Id.nullable().openapi({ description: "The emergency access that alone opens the record to the caller" }),
}).openapi("PatientWithWard");

export const patientRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients",
      tags,
      summary: "Register a patient",
      description:
        "Where a record of the hospital has the same patient_uid, phone number, or name and birth date, the response is 409 possible_duplicate with these records, unless duplicate_reason says why it is another person. Where Aadhaar and ABHA number are recorded as those of two persons, it is 409 conflict.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewPatient, {
          first_name: "Asha",
          last_name: "Verma",
          gender: "female",
          date_of_birth: "1964-03-04",
          phone: "+91 98765 43210",
          medical_history: "Hypertension since 2015.",
          symptoms: ["palpitations"],
        }),
      },
      responses: { 201: jsonResponse(Patient, "The patient", examplePatient), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      if (input.aadhaar_number || input.abha_number) await limitIdentity(c);
      // An idempotency key stores a hash of its input, which must not contain the numbers.
      const person = await identifyPerson(call, input);
      const create = (keyStatements: KeyStatements) => createPatient(call, input, keyStatements);
      const redactedInput = { ...input, aadhaar_number: person, abha_number: undefined };
      const patient = await runOnce(call, await readIdempotencyKey(c, "patient.create"), redactedInput, create, (id) =>
        getPatient(call, id),
      );
      return ok(c, patient, 201);
    },
  )
  .openapi(createListRoute("/patients"), async (c) => okPage(c, await listPatients(c.get("call"), c.req.valid("query"))))
  .openapi(createListRoute("/patients/list"), async (c) => okPage(c, await listPatients(c.get("call"), c.req.valid("query"))))
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/search",
      tags,
      summary: "Search patients",
      security: BEARER_AUTH,
      request: { query: searchQuery },
      responses: { 200: pageResponse(PatientSummary, "Newest first", exampleSummary), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await searchPatients(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}",
      tags,
      summary: "Get a patient",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        200: jsonResponse(PatientWithWard, "The patient", { ...examplePatient, ward_name: null, emergency_access_id: null }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getPatientWithWard(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/patients/{patient_id}",
      tags,
      summary: "Update a patient",
      description: "Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        params: patientParam,
        headers: ifMatchHeaders,
        body: jsonRequestBody(PatientChange, { phone: "+91 98765 00000" }),
      },
      responses: {
        200: jsonResponse(Patient, "The patient", examplePatient),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const change = c.req.valid("json");
      if (change.aadhaar_number || change.abha_number) await limitIdentity(c);
      const { patient_id } = c.req.valid("param");
      const patient = await changeIfMatch(c, (call, expected) => updatePatient(call, patient_id, expected, change));
      return ok(c, patient);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}",
      tags,
      summary: "Delete a patient",
      description: "Only records without reports, devices, linked logins and intakes. Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: patientParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(z.object({ patient_id: Id }), "The deleted record", { patient_id: EXAMPLES.patient }),
        ...problemResponses(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { patient_id } = c.req.valid("param");
      const deleted = await changeIfMatch(c, (call, expected) => deletePatient(call, patient_id, expected));
      return ok(c, { patient_id: deleted });
    },
  );
