// Routes: a patient's record: summary, intake and care team.
import { createRoute, z } from "@hono/zod-openapi";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { exampleSummary, PatientSummary, patientParam } from "../schemas.ts";
import { changeCareTeam, listCareTeam } from "./care-team.ts";
import { getIntake, IntakeBody, listIntakes, recordIntake } from "./intake.ts";
import { getPatientSummary } from "./summary.ts";

const tags = ["Patient"];
const careTeamParam = patientParam.extend({ user_id: Id.openapi({ example: EXAMPLES.user }) });
const CareTeamRef = z.object({ patient_id: Id, user_id: Id });
const exampleCareTeamRef = { patient_id: EXAMPLES.patient, user_id: EXAMPLES.user };

const Intake = IntakeBody.extend({ intake_id: Id, patient_id: Id, authored_by: z.string(), authored_at: Timestamp }).openapi(
  "Intake",
);
const answers = {
  chief_complaint: "Palpitations since Monday",
  symptoms: ["palpitations"],
  allergies: ["penicillin"],
  medications: ["metoprolol 50 mg"],
  answers: { smoker: "no" },
};
const exampleIntake = {
  intake_id: EXAMPLES.request,
  patient_id: EXAMPLES.patient,
  authored_by: EXAMPLES.user,
  authored_at: EXAMPLES.time,
  ...answers,
};

const Summary = z
  .object({
    patient: PatientSummary,
    symptoms: z.array(z.string()),
    reports: z
      .object({ total: z.number().int(), by_kind: z.record(z.string(), z.number().int()) })
      .nullable()
      .openapi({ description: "Null for an app without report:read" }),
    latest_report: z
      .object({
        report_id: Id,
        kind: z.string(),
        status: z.string(),
        effective_at: Timestamp,
        heart_rate: z.number().nullable(),
      })
      .nullable()
      .openapi({ description: "Null if there is none, and for an app without report:read" }),
    care_team: z.number().int().openapi({ description: "Current members" }),
    devices: z.number().int().openapi({ description: "Currently assigned devices" }),
    latest_intake_at: Timestamp.nullable(),
    claimed: z.boolean().openapi({ description: "True when a login is linked to the record" }),
    missing_scopes: z
      .array(z.enum(["report:read"]))
      .openapi({ description: "Scopes whose data is left out because the app does not have them" }),
  })
  .openapi("PatientPage");

export const recordRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/summary",
      tags,
      summary: "Get a patient summary",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        200: jsonResponse(Summary, "The summary", {
          patient: exampleSummary,
          symptoms: ["palpitations"],
          reports: { total: 2, by_kind: { ecg: 2 } },
          latest_report: {
            report_id: EXAMPLES.report,
            kind: "ecg",
            status: "preliminary",
            effective_at: EXAMPLES.time,
            heart_rate: 72,
          },
          care_team: 1,
          devices: 1,
          latest_intake_at: EXAMPLES.time,
          claimed: true,
          missing_scopes: [],
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getPatientSummary(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/intake",
      tags,
      summary: "Record an intake",
      description: "The symptoms replace the patient's current symptoms.",
      security: BEARER_AUTH,
      request: { params: patientParam, headers: idempotencyHeaders, body: jsonRequestBody(IntakeBody, answers) },
      responses: { 201: jsonResponse(Intake, "The response", exampleIntake), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const { patient_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => recordIntake(call, patient_id, input, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "intake.record");
      return ok(
        c,
        await runOnce(call, idempotencyKey, { patient_id, input }, create, (id) => getIntake(call, patient_id, id)),
        201,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/intake",
      tags,
      summary: "List intakes",
      security: BEARER_AUTH,
      request: { params: patientParam, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(Intake, "Newest first", exampleIntake), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listIntakes(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/care-team",
      tags,
      summary: "List care team members",
      security: BEARER_AUTH,
      request: { params: patientParam, query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(
          z.object({ user_id: Id, full_name: z.string(), role: z.string().nullable(), since: Timestamp }),
          "Current members, oldest first",
          { user_id: EXAMPLES.user, full_name: "Asha Rao", role: "doctor", since: EXAMPLES.time },
        ),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listCareTeam(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/patients/{patient_id}/care-team/{user_id}",
      tags,
      summary: "Add a care team member",
      security: BEARER_AUTH,
      request: { params: careTeamParam },
      responses: { 200: jsonResponse(CareTeamRef, "The member", exampleCareTeamRef), ...problemResponses(401, 403, 404, 409) },
    }),
    async (c) => {
      const { patient_id, user_id } = c.req.valid("param");
      return ok(c, { patient_id: await changeCareTeam(c.get("call"), patient_id, user_id, "join"), user_id });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/care-team/{user_id}",
      tags,
      summary: "Remove a care team member",
      security: BEARER_AUTH,
      request: { params: careTeamParam },
      responses: {
        200: jsonResponse(CareTeamRef, "The removed member", exampleCareTeamRef),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { patient_id, user_id } = c.req.valid("param");
      return ok(c, { patient_id: await changeCareTeam(c.get("call"), patient_id, user_id, "leave"), user_id });
    },
  );
