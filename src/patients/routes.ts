// Patient: register, list, search, read, change, delete.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../http/idempotency.ts";
import { limitIdentity } from "../http/rate-limit.ts";
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
} from "../http/router.ts";
import { personOf } from "./identity/aadhaar.ts";
import { listPatients, searchPatients } from "./list.ts";
import { createPatient, deletePatient, getPatient, updatePatient } from "./patients.ts";
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
} from "./shapes.ts";

const tags = ["Patient"];

const listRoute = <P extends string>(path: P) =>
  createRoute({
    method: "get",
    path,
    tags,
    summary: "Patients that I may see",
    security: SECURED,
    request: { query: patientQuery },
    responses: { 200: pageAnswer(PatientSummary, "By number or time", exampleSummary), ...problems(401, 403) },
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
      responses: { 201: answer(Patient, "The patient", examplePatient), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      if (input.aadhaar_number) await limitIdentity(c.env, call.actor);
      // A key remembers what it was used with, and the number is to be remembered nowhere.
      const person = input.aadhaar_number ? await personOf(call, input.aadhaar_number) : null;
      const create = (taking: Taking) => createPatient(call, input, taking);
      const known = { ...input, aadhaar_number: person };
      const patient = await once(call, await readClaim(c, "patient.create"), known, create, (id) => getPatient(call, id));
      c.header("ETag", etag(patient.version));
      return ok(c, patient, 201);
    },
  )
  .openapi(listRoute("/patients"), async (c) => page(c, await listPatients(c.get("call"), c.req.valid("query"))))
  .openapi(listRoute("/patients/list"), async (c) => page(c, await listPatients(c.get("call"), c.req.valid("query"))))
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/search",
      tags,
      summary: "Find patients by beginnings of name, phone or e-mail, as one types",
      security: SECURED,
      request: { query: searchQuery },
      responses: { 200: pageAnswer(PatientSummary, "Newest first", exampleSummary), ...problems(401, 403) },
    }),
    async (c) => page(c, await searchPatients(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}",
      tags,
      summary: "One patient with history and symptoms",
      security: SECURED,
      request: { params: patientParam },
      responses: { 200: answer(Patient, "The patient", examplePatient), ...problems(401, 403, 404) },
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
      responses: { 200: answer(Patient, "The patient", examplePatient), ...problems(401, 403, 404, 412, 413, 415, 428) },
    }),
    async (c) => {
      const change = c.req.valid("json");
      if (change.aadhaar_number) await limitIdentity(c.env, c.get("call").actor);
      const patient = await updatePatient(c.get("call"), c.req.valid("param").patient_id, ifMatch(c), change);
      c.header("ETag", etag(patient.version));
      return ok(c, patient);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}",
      tags,
      summary: "Take out a record made by mistake, while nothing hangs on it (needs If-Match)",
      security: SECURED,
      request: { params: patientParam, headers: matchHeaders },
      responses: {
        200: answer(z.object({ patient_id: Id }), "The record that is gone", { patient_id: EXAMPLE.patient }),
        ...problems(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { patient_id } = c.req.valid("param");
      return ok(c, { patient_id: await deletePatient(c.get("call"), patient_id, ifMatch(c)) });
    },
  );
