// Routes of submitted intake forms: submit, review, take, reject.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  PatientRef,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { INTAKE_SOURCES, INTAKE_STATES } from "../../platform/db/vocabulary.ts";
import { singleLine } from "../../platform/text.ts";
import { Answers, FORM_FIELDS, Question } from "./form.ts";
import { rejectSubmission, takeSubmission } from "./review.ts";
import { getSubmission, listSubmissions, replaySubmission, submitIntake } from "./submissions.ts";

const tags = ["Intake"];
const SubmissionId = Id.openapi({ example: EXAMPLES.submission });
const params = z.object({ submission_id: SubmissionId });
const TAKEN_FIELDS = [...FORM_FIELDS, "answers"] as const;

const overview = {
  submission_id: SubmissionId,
  patient_id: Id.nullable(),
  source: z.enum(INTAKE_SOURCES),
  state: z.enum(INTAKE_STATES),
  submitted_by: Id.nullable().openapi({ description: "Null: by a link" }),
  submitted_at: Timestamp,
  reviewed_by: Id.nullable(),
  reviewed_at: Timestamp.nullable(),
  version: z.int(),
};
const SubmissionOverview = z
  .object({
    ...overview,
    name: z.string().nullable().openapi({ description: "As answered; of nobody whose identity is known" }),
    chief_complaint: z.string().nullable(),
  })
  .openapi("IntakeSubmissionOverview");
const Submission = z
  .object({
    ...overview,
    answers: Answers,
    questions: z.array(Question),
    fields: z.array(z.enum(FORM_FIELDS)).openapi({ description: "What the form asks for" }),
    current: z
      .object({
        first_name: z.string(),
        last_name: z.string().nullable(),
        date_of_birth: z.string().nullable(),
        gender: z.string(),
        phone: z.string().nullable(),
        email: z.string().nullable(),
        address: z.string().nullable(),
        symptoms: z.array(z.string()),
      })
      .nullable()
      .openapi({ description: "What the record says; null without a record" }),
    patient_version: z.int().nullable(),
    taken: z.array(z.string()),
    reason: z.string().nullable().openapi({ description: "Why it was rejected" }),
    intake_id: Id.nullable(),
  })
  .openapi("IntakeSubmission");
const SubmittedIntake = z
  .object({ submission_id: SubmissionId, patient_id: Id.nullable(), state: z.enum(INTAKE_STATES), submitted_at: Timestamp })
  .openapi("SubmittedIntake");

const Taken = z
  .strictObject({
    patient_id: Id.optional().openapi({ description: "The record; for an intake without one" }),
    create: z.literal(true).optional().openapi({ description: "Registers a new patient" }),
    duplicate_reason: singleLine(200)
      .optional()
      .openapi({ description: "Registers although similar records exist: why it is another person" }),
    take: z.array(z.enum(TAKEN_FIELDS)).min(1).max(TAKEN_FIELDS.length),
    reason: singleLine(200).optional().openapi({ description: "Why what identifies the person changes" }),
  })
  .openapi("TakeIntake");

const answers = { first_name: "Asha", chief_complaint: "Palpitations since Monday" };
const exampleOverview = {
  submission_id: EXAMPLES.submission,
  patient_id: null,
  source: "link" as const,
  state: "submitted" as const,
  submitted_by: null,
  submitted_at: EXAMPLES.time,
  reviewed_by: null,
  reviewed_at: null,
  version: 1,
};
const exampleSubmission = {
  ...exampleOverview,
  answers,
  questions: [],
  fields: ["first_name" as const, "chief_complaint" as const],
  current: null,
  patient_version: null,
  taken: [],
  reason: null,
  intake_id: null,
};
const reviewed = { reviewed_by: EXAMPLES.user, reviewed_at: EXAMPLES.time, version: 2 };

export const intakeSubmissionRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/intake-submissions",
      tags,
      summary: "Submit an intake for review",
      description: "By a patient for the own record, or by staff, who may leave the record open.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(z.strictObject({ patient_id: PatientRef.optional(), answers: Answers }), { answers }),
      },
      responses: {
        201: jsonResponse(SubmittedIntake, "The submission", {
          submission_id: EXAMPLES.submission,
          patient_id: null,
          state: "submitted",
          submitted_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const key = await readIdempotencyKey(c, "intake.submit");
      const submit = (statements: Parameters<typeof submitIntake>[2]) => submitIntake(call, input, statements);
      return ok(c, await runOnce(call, key, input, submit, (id) => replaySubmission(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/intake-submissions",
      tags,
      summary: "List intakes for review",
      description: "Of the caller's hospital, for records that the caller sees and for none. Newest first.",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, state: z.enum(INTAKE_STATES).optional() }) },
      responses: {
        200: pageResponse(SubmissionOverview, "Newest first", {
          ...exampleOverview,
          name: "Asha",
          chief_complaint: "Palpitations since Monday",
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listSubmissions(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/intake-submissions/{submission_id}",
      tags,
      summary: "Get an intake for review",
      description: "The answers, beside what the record says.",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(Submission, "The submission", exampleSubmission), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getSubmission(c.get("call"), c.req.valid("param").submission_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/intake-submissions/{submission_id}/take",
      tags,
      summary: "Take over answers of an intake",
      description:
        "Into the record of the intake, into the one that is named, or into a new one: the named fields and no others. Clinical " +
        "answers become an intake response of the patient.",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(Taken, { create: true, take: ["first_name", "chief_complaint"] }),
      },
      responses: {
        200: jsonResponse(Submission, "The submission", {
          ...exampleSubmission,
          ...reviewed,
          state: "taken",
          patient_id: EXAMPLES.patient,
          taken: ["first_name", "chief_complaint"],
        }),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { submission_id } = c.req.valid("param");
      const input = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => takeSubmission(call, submission_id, expected, input)));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/intake-submissions/{submission_id}/reject",
      tags,
      summary: "Reject an intake",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(z.strictObject({ reason: singleLine(500) }), { reason: "Of nobody whom we know" }),
      },
      responses: {
        200: jsonResponse(Submission, "The submission", {
          ...exampleSubmission,
          ...reviewed,
          state: "rejected",
          reason: "Of nobody whom we know",
        }),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { submission_id } = c.req.valid("param");
      const { reason } = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => rejectSubmission(call, submission_id, expected, reason)));
    },
  );
