// Routes of a patient's questions about the own access log.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { PRIVACY_REVIEW_OUTCOMES, PRIVACY_REVIEW_STATUSES } from "../../platform/db/vocabulary.ts";
import { multiLine } from "../../platform/text.ts";
import { askAboutGuardianship, askQuestion, listQuestions } from "./questions.ts";

const tags = ["Privacy"];
const Question = z
  .object({
    question_id: Id,
    event_id: Id.nullable().openapi({ description: "Null: about a guardianship" }),
    guardianship_id: Id.nullable(),
    patient_id: Id,
    hospital_id: Id.openapi({ description: "Whose privacy officers answer" }),
    text: z.string().nullable().openapi({ description: "Null: asked without a text" }),
    asked_at: Timestamp,
    status: z.enum(PRIVACY_REVIEW_STATUSES),
    outcome: z.enum(PRIVACY_REVIEW_OUTCOMES).nullable(),
    answer: z.string().nullable(),
    answered_at: Timestamp.nullable(),
  })
  .openapi("PrivacyQuestion");
const example = {
  question_id: EXAMPLES.review,
  event_id: EXAMPLES.request,
  guardianship_id: null,
  patient_id: EXAMPLES.patient,
  hospital_id: EXAMPLES.hospital,
  text: "I was not treated there that day.",
  asked_at: EXAMPLES.time,
  status: "open" as const,
  outcome: null,
  answer: null,
  answered_at: null,
};
const NewQuestion = z
  .strictObject({
    event_id: Id.optional().openapi({ description: "An event of the own access log" }),
    guardianship_id: Id.optional().openapi({ description: "A guardianship over the caller that has not ended" }),
    text: multiLine(1000).trim().min(3).optional(),
  })
  .refine(({ event_id, guardianship_id }) => (event_id === undefined) !== (guardianship_id === undefined), {
    path: ["event_id"],
    message: "Either event_id or guardianship_id is required",
  })
  .openapi("NewPrivacyQuestion");

export const privacyQuestionRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/privacy-questions",
      tags,
      summary: "Question an access or a guardianship",
      description:
        "For patients: asks the privacy officers of the hospital whose data was accessed, or that recorded a guardianship over the caller. A record has at most 50 open questions and 1,000 in all. A second question about the same event or guardianship returns the first, unchanged.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(NewQuestion, { event_id: EXAMPLES.request, text: "I was not treated there that day." }),
      },
      responses: {
        200: jsonResponse(Question, "The question that was asked before", example),
        201: jsonResponse(Question, "The question", example),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { event_id, guardianship_id, text = "" } = c.req.valid("json");
      const call = c.get("call");
      const { question, isNew } =
        guardianship_id === undefined
          ? await askQuestion(c.env, call, event_id ?? "", text)
          : await askAboutGuardianship(call, guardianship_id, text);
      return isNew ? ok(c, question, 201) : ok(c, question);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/privacy-questions",
      tags,
      summary: "List own questions",
      description: "For patients: questions about accesses to their records and guardianships over them, with the answers.",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(Question, "Newest first", example), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listQuestions(c.get("call"), c.req.valid("query"))),
  );
