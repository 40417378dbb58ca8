// What belongs to one patient's record: summary, intake, claim codes, care team.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../../http/idempotency.ts";
import { answer, body, EXAMPLE, Id, newRouter, ok, onceHeaders, problems, SECURED, Timestamp } from "../../http/router.ts";
import { exampleSummary, PatientSummary, patientParam } from "../shapes.ts";
import { changeTeam, listTeam } from "./care-team.ts";
import { ClaimCode, claimRecord, issueClaimCode, listLinks, removeLink } from "./claims.ts";
import { getIntake, IntakeBody, listIntakes, recordIntake } from "./intake.ts";
import { patientSummary } from "./summary.ts";

const tags = ["Patient"];
const teamParam = patientParam.extend({ user_id: Id.openapi({ example: EXAMPLE.user }) });
const TeamRef = z.object({ patient_id: Id, user_id: Id });
const teamRef = { patient_id: EXAMPLE.patient, user_id: EXAMPLE.user };
const PatientRef = z.object({ patient_id: Id });

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
const intake = {
  intake_id: EXAMPLE.request,
  patient_id: EXAMPLE.patient,
  authored_by: EXAMPLE.user,
  authored_at: EXAMPLE.time,
  ...answers,
};

const Summary = z
  .object({
    patient: PatientSummary,
    symptoms: z.array(z.string()),
    reports: z.object({ total: z.number().int(), by_kind: z.record(z.string(), z.number().int()) }),
    latest_report: z
      .object({
        report_id: Id,
        kind: z.string(),
        status: z.string(),
        effective_at: Timestamp,
        heart_rate: z.number().nullable(),
      })
      .nullable(),
    care_team: z.number().int().openapi({ description: "Present members" }),
    devices: z.number().int().openapi({ description: "Bound now" }),
    latest_intake_at: Timestamp.nullable(),
    claimed: z.boolean().openapi({ description: "A login is tied to the record" }),
  })
  .openapi("PatientPage");

export const recordRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/claim",
      tags,
      summary: "Tie my login to the record that a claim code was made for",
      security: SECURED,
      request: { body: body(z.strictObject({ code: ClaimCode }), { code: "MFRG-GZDF-MZTW" }) },
      responses: { 200: answer(PatientRef, "The record", { patient_id: EXAMPLE.patient }), ...problems(401, 403, 404, 413, 415) },
    }),
    async (c) => ok(c, { patient_id: await claimRecord(c.get("call"), c.req.valid("json").code) }),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/claim-codes",
      tags,
      summary: "A code with which the patient ties a login to this record: shown once, three days, one use",
      security: SECURED,
      request: { params: patientParam },
      responses: {
        201: answer(PatientRef.extend({ code: z.string(), expires_at: Timestamp }), "The code", {
          patient_id: EXAMPLE.patient,
          code: "MFRG-GZDF-MZTW",
          expires_at: EXAMPLE.time,
        }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await issueClaimCode(c.get("call"), c.req.valid("param").patient_id), 201),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/links",
      tags,
      summary: "The logins that this record is tied to",
      security: SECURED,
      request: { params: patientParam },
      responses: {
        200: answer(
          z.array(
            z.object({
              user_id: Id,
              method: z.enum(["claim_code", "self_registration"]),
              verified_by: z.string(),
              created_at: Timestamp,
            }),
          ),
          "Oldest first, at most 100",
          [{ user_id: EXAMPLE.user, method: "claim_code", verified_by: EXAMPLE.user, created_at: EXAMPLE.time }],
        ),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await listLinks(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/links/{user_id}",
      tags,
      summary: "Untie a login from this record",
      security: SECURED,
      request: { params: teamParam },
      responses: { 200: answer(TeamRef, "The login that reads it no more", teamRef), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { patient_id, user_id } = c.req.valid("param");
      return ok(c, { patient_id: await removeLink(c.get("call"), patient_id, user_id), user_id });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/summary",
      tags,
      summary: "One page about a patient",
      security: SECURED,
      request: { params: patientParam },
      responses: {
        200: answer(Summary, "What exists of the patient", {
          patient: exampleSummary,
          symptoms: ["palpitations"],
          reports: { total: 2, by_kind: { ecg: 2 } },
          latest_report: {
            report_id: EXAMPLE.report,
            kind: "ecg",
            status: "preliminary",
            effective_at: EXAMPLE.time,
            heart_rate: 72,
          },
          care_team: 1,
          devices: 1,
          latest_intake_at: EXAMPLE.time,
          claimed: true,
        }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await patientSummary(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/intake",
      tags,
      summary: "Record an intake; its symptoms become the patient's present ones",
      security: SECURED,
      request: { params: patientParam, headers: onceHeaders, body: body(IntakeBody, answers) },
      responses: { 201: answer(Intake, "The response", intake), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const { patient_id } = c.req.valid("param");
      const input = c.req.valid("json");
      const create = (taking: Taking) => recordIntake(call, patient_id, input, taking);
      const claim = await readClaim(c, "intake.record");
      return ok(c, await once(call, claim, { patient_id, input }, create, (id) => getIntake(call, patient_id, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/intake",
      tags,
      summary: "The latest twenty intakes",
      security: SECURED,
      request: { params: patientParam },
      responses: { 200: answer(z.array(Intake), "Newest first", [intake]), ...problems(401, 403, 404) },
    }),
    async (c) => ok(c, await listIntakes(c.get("call"), c.req.valid("param").patient_id)),
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
