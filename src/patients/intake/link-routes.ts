// Routes of links to intake forms.
import { createRoute, z } from "@hono/zod-openapi";
import { readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
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
  PatientRef,
  pageResponse,
  problemResponses,
  TimeInput,
  Timestamp,
} from "../../http/router.ts";
import { FORM_FIELDS, formFields, Question } from "./form.ts";
import { createLink, listLinks, replayLink, revokeLink } from "./links.ts";

const tags = ["Intake"];
const IntakeLinkId = Id.openapi({ example: EXAMPLES.intakeLink });
const language = z.enum(["en", "hi"]).openapi({ description: "Of the form's page" });

const NewIntakeLink = z
  .strictObject({
    patient_id: PatientRef.optional().openapi({
      description: "The record that the answers are for; without it they may become a new one",
    }),
    ...formFields,
    language: language.default("en"),
    expires_at: TimeInput.optional().openapi({
      description: "Within 30 days; default: in seven days",
      example: "2026-11-28T09:30:00.000Z",
    }),
  })
  .refine(({ fields, questions }) => fields.length + questions.length > 0, { path: ["fields"], message: "Ask for something" })
  .openapi("NewIntakeLink");
const IssuedIntakeLink = z
  .object({
    intake_link_id: IntakeLinkId,
    url: z.string().openapi({ description: "Shown here alone" }),
    token: z.string(),
    expires_at: Timestamp,
  })
  .openapi("IssuedIntakeLink");
const IntakeLink = z
  .object({
    intake_link_id: IntakeLinkId,
    patient_id: Id.nullable(),
    fields: z.array(z.enum(FORM_FIELDS)),
    questions: z.array(Question),
    language: z.string(),
    state: z.enum(["open", "used", "revoked", "expired"]),
    created_by: Id,
    created_at: Timestamp,
    expires_at: Timestamp,
    used_at: Timestamp.nullable(),
  })
  .openapi("IntakeLink");

const expires_at = "2026-11-28T09:30:00.000Z";
const form = {
  fields: ["first_name" as const, "last_name" as const, "chief_complaint" as const],
  questions: [{ key: "smoker", label: "Do you smoke?" }],
};
const exampleLink = {
  intake_link_id: EXAMPLES.intakeLink,
  patient_id: null,
  ...form,
  language: "en",
  state: "open" as const,
  created_by: EXAMPLES.user,
  created_at: EXAMPLES.time,
  expires_at,
  used_at: null,
};

export const intakeLinkRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/intake-links",
      tags,
      summary: "Create an intake link",
      description:
        "For somebody without an account. Whoever has the link can send answers once; nothing of a record can be read by it.",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(NewIntakeLink, { ...form, language: "en" as const }) },
      responses: {
        201: jsonResponse(IssuedIntakeLink, "The link", {
          intake_link_id: EXAMPLES.intakeLink,
          url: "https://portal.example.org/intake#token=ecn_…",
          token: "ecn_…",
          expires_at,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { origin } = new URL(c.req.url);
      const { expires_at: until, ...input } = c.req.valid("json");
      const link = { ...input, expiresAt: until === undefined ? null : Date.parse(until) };
      const key = await readIdempotencyKey(c, "intake_link.create");
      const create = (statements: Parameters<typeof createLink>[3]) => createLink(call, link, origin, statements);
      return ok(c, await runOnce(call, key, { ...input, until }, create, (id) => replayLink(call, id, origin)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/intake-links",
      tags,
      summary: "List intake links",
      description: "Of the caller's hospital, without their tokens. Newest first.",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(IntakeLink, "Newest first", exampleLink), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listLinks(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/intake-links/{intake_link_id}",
      tags,
      summary: "Revoke an intake link",
      security: BEARER_AUTH,
      request: { params: z.object({ intake_link_id: IntakeLinkId }) },
      responses: {
        200: jsonResponse(z.object({ revoked: z.literal(true) }), "The link is no longer valid", { revoked: true }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      await revokeLink(c.get("call"), c.req.valid("param").intake_link_id);
      return ok(c, { revoked: true as const });
    },
  );
