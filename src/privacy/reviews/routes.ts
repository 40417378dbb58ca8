// Routes of the privacy officers' review queue.
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
  Uuid,
} from "../../http/router.ts";
import { PRIVACY_REVIEW_KINDS, PRIVACY_REVIEW_OUTCOMES, PRIVACY_REVIEW_STATUSES } from "../../platform/db/vocabulary.ts";
import { multiLine } from "../../platform/text.ts";
import { ReviewedEvent } from "./review.ts";
import { closeReview, getReview, listReviews } from "./reviews.ts";

const tags = ["Privacy"];
const listed = {
  review_id: Id,
  hospital_id: Id,
  kind: z.enum(PRIVACY_REVIEW_KINDS),
  ref_id: Id.openapi({ description: "The audit event, or the emergency access" }),
  patient_id: Id,
  subject_user_id: Id.nullable().openapi({ description: "Who had access; null for a device, an app and the service" }),
  is_flagged: z.boolean(),
  status: z.enum(PRIVACY_REVIEW_STATUSES),
  opened_by: z.string(),
  opened_at: Timestamp,
  outcome: z.enum(PRIVACY_REVIEW_OUTCOMES).nullable(),
  closed_by: Id.nullable(),
  closed_at: Timestamp.nullable(),
};
const ListedReview = z.object(listed).openapi("ListedPrivacyReview");
const Review = z
  .object({
    ...listed,
    text: z.string().openapi({ description: "The patient's question, or the reason of the emergency access" }),
    event: ReviewedEvent.nullable().openapi({ description: "The audit event that a question is about" }),
    note: z.string().nullable().openapi({ description: "The answer; a patient who asked reads it" }),
  })
  .openapi("PrivacyReview");
const exampleListed = {
  review_id: EXAMPLES.review,
  hospital_id: EXAMPLES.hospital,
  kind: "question" as const,
  ref_id: EXAMPLES.request,
  patient_id: EXAMPLES.patient,
  subject_user_id: EXAMPLES.user,
  is_flagged: false,
  status: "open" as const,
  opened_by: EXAMPLES.user,
  opened_at: EXAMPLES.time,
  outcome: null,
  closed_by: null,
  closed_at: null,
};
const example = {
  ...exampleListed,
  text: "I was not treated there that day.",
  event: {
    event_id: EXAMPLES.request,
    event: "patient.read",
    action: "R" as const,
    outcome: "success" as const,
    recorded: EXAMPLES.time,
    actor: { kind: "user", id: EXAMPLES.user, role: "nurse" },
    actor_hospital_id: null,
    basis: "staff",
    purpose: "TREAT",
    entity: { type: "patient", id: EXAMPLES.patient },
  },
  note: null,
};
const closing = { outcome: "explained" as const, note: "The nurse prepared your visit of the next day." };
const Closing = z
  .strictObject({ outcome: z.enum(PRIVACY_REVIEW_OUTCOMES), note: multiLine(2000).trim().min(3) })
  .openapi("PrivacyReviewClosing");

const reviewParam = z.object({ review_id: Uuid.openapi({ example: EXAMPLES.review }) });

export const privacyReviewRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/privacy-reviews",
      tags,
      summary: "List privacy reviews",
      description: "For privacy officers: the reviews of their hospital.",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, status: z.enum(PRIVACY_REVIEW_STATUSES).optional() }) },
      responses: {
        200: pageResponse(ListedReview, "Flagged reviews first, then newest first", exampleListed),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listReviews(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/privacy-reviews/{review_id}",
      tags,
      summary: "Get a privacy review",
      security: BEARER_AUTH,
      request: { params: reviewParam },
      responses: { 200: jsonResponse(Review, "The review", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getReview(c.get("call"), c.req.valid("param").review_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/privacy-reviews/{review_id}/close",
      tags,
      summary: "Close a privacy review",
      description:
        "For privacy officers, except the one whose access it is about (403). The patient who asked a question is notified and can read the note. A closed review stays closed.",
      security: BEARER_AUTH,
      request: { params: reviewParam, body: jsonRequestBody(Closing, closing) },
      responses: {
        200: jsonResponse(Review, "The closed review", {
          ...example,
          ...closing,
          status: "closed",
          closed_by: EXAMPLES.user,
          closed_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => ok(c, await closeReview(c.get("call"), c.req.valid("param").review_id, c.req.valid("json"))),
  );
