// Public routes of an intake form: open and submit by a link.
import { createRoute, z } from "@hono/zod-openapi";
import { limitLink } from "../../http/rate-limit.ts";
import { createRouter, EXAMPLES, jsonRequestBody, jsonResponse, ok, problemResponses, Timestamp } from "../../http/router.ts";
import { Answers, FORM_FIELDS, Question } from "./form.ts";
import { openLink, submitByLink } from "./link-use.ts";

const tags = ["Intake"];
const token = z.string().min(1).max(200).openapi({ example: "ecn_…" });
const OpenedIntake = z
  .object({
    hospital_name: z.string(),
    fields: z.array(z.enum(FORM_FIELDS)),
    questions: z.array(Question),
    language: z.string(),
    expires_at: Timestamp,
  })
  .openapi("OpenedIntake");

export const publicIntakeRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/intake/open",
      tags,
      summary: "Open an intake form",
      description: "By the token of a link. The answer has what the form asks for, and nothing of a record.",
      request: { body: jsonRequestBody(z.strictObject({ token }), { token: "ecn_…" }) },
      responses: {
        200: jsonResponse(OpenedIntake, "The form", {
          hospital_name: "Demo General",
          fields: ["first_name", "chief_complaint"],
          questions: [{ key: "smoker", label: "Do you smoke?" }],
          language: "en",
          expires_at: EXAMPLES.time,
        }),
        ...problemResponses(404, 410, 413, 415),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      await limitLink(c, input.token);
      return ok(c, await openLink(c.get("call"), input.token));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/intake/submit",
      tags,
      summary: "Submit an intake form",
      description: "Once per link. The clinic's staff review the answers before they become part of a record.",
      request: {
        body: jsonRequestBody(z.strictObject({ token, answers: Answers }), {
          token: "ecn_…",
          answers: { first_name: "Asha", chief_complaint: "Palpitations since Monday" },
        }),
      },
      responses: {
        201: jsonResponse(z.object({ received_at: Timestamp }), "Received", { received_at: EXAMPLES.time }),
        ...problemResponses(404, 409, 410, 413, 415),
      },
    }),
    async (c) => {
      const input = c.req.valid("json");
      await limitLink(c, input.token);
      return ok(c, await submitByLink(c.get("call"), input.token, input.answers), 201);
    },
  );
