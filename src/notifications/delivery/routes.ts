// Routes of deliveries, for administrators.
import { createRoute, z } from "@hono/zod-openapi";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { DELIVERY_CHANNELS, DELIVERY_STATUSES, NOTIFICATION_PRIORITIES } from "../../platform/db/vocabulary.ts";
import { listDeliveries, replayResend, resendDelivery } from "./deliveries.ts";
import { sendIdsInBackground } from "./hand-over.ts";

const EXAMPLE_ID = `${EXAMPLES.request}.email.${EXAMPLES.user}`;
const DeliveryId = z
  .string()
  .max(120)
  .regex(/^[0-9A-Za-z._-]{1,120}$/, "Must be the id of a delivery")
  .openapi({ description: "Event, channel and target", example: EXAMPLE_ID });
const Delivery = z
  .object({
    delivery_id: DeliveryId,
    user_id: Id.nullable().openapi({ description: "The recipient; null for a webhook, and for somebody without an account" }),
    user_name: z.string().nullable().openapi({
      description:
        "Name of the recipient when the message belongs to no hospital; otherwise null: the hospital's members have names",
    }),
    hospital_id: Id.nullable(),
    channel: z.enum(DELIVERY_CHANNELS),
    target_id: z.string().openapi({ description: "Id of the account, subscription, webhook or link" }),
    kind: z.string(),
    priority: z.enum(NOTIFICATION_PRIORITIES),
    refs: z.record(z.string(), z.union([z.string(), z.number()])),
    status: z.enum(DELIVERY_STATUSES).openapi({
      description: "`unknown`: handed to the provider, without an answer; sent again only by an administrator",
    }),
    attempts: z.number().int(),
    next_attempt_at: Timestamp.nullable().openapi({ description: "Null when no further attempt follows" }),
    is_held_by_quiet_hours: z.boolean().openapi({
      description: "Whether it waits until `next_attempt_at` because the recipient's quiet hours end then",
    }),
    answer_status: z.number().int().nullable().openapi({ description: "Status code of the provider's last answer" }),
    answer: z.string().nullable().openapi({ description: "The beginning of the provider's last answer, without addresses" }),
    can_resend: z.boolean(),
    created_at: Timestamp,
    attempted_at: Timestamp.nullable(),
    settled_at: Timestamp.nullable(),
  })
  .openapi("Delivery");
const example: z.input<typeof Delivery> = {
  delivery_id: EXAMPLE_ID,
  user_id: EXAMPLES.user,
  user_name: null,
  hospital_id: EXAMPLES.hospital,
  channel: "email",
  target_id: EXAMPLES.user,
  kind: "alert.raised",
  priority: "alarm",
  refs: { patient_id: EXAMPLES.patient },
  status: "failed",
  attempts: 5,
  next_attempt_at: null,
  is_held_by_quiet_hours: false,
  answer_status: 500,
  answer: "internal error",
  can_resend: true,
  created_at: EXAMPLES.time,
  attempted_at: EXAMPLES.time,
  settled_at: EXAMPLES.time,
};
const tags = ["Notifications"];

export const deliveryRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/notifications/deliveries",
      tags,
      security: BEARER_AUTH,
      summary: "List deliveries",
      description:
        "Newest first, of the caller's hospital; platform administrators see all. A page looks at 1,000 deliveries at most, so with filters it may be short. Kept for 90 days.",
      request: {
        query: z.strictObject({
          ...pageQuery,
          channel: z.enum(DELIVERY_CHANNELS).optional(),
          status: z.enum(DELIVERY_STATUSES).optional(),
          kind: z.string().min(1).max(64).optional(),
        }),
      },
      responses: { 200: pageResponse(Delivery, "A page of deliveries", example), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listDeliveries(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/notifications/deliveries/{delivery_id}/resend",
      tags,
      security: BEARER_AUTH,
      summary: "Resend a delivery",
      description: "Of the status `failed` or `unknown`. The recipient may get it twice when the first one did arrive.",
      request: { params: z.object({ delivery_id: DeliveryId }), headers: idempotencyHeaders },
      responses: { 202: jsonResponse(Delivery, "The delivery, due now", example), ...problemResponses(401, 403, 404, 409) },
    }),
    async (c) => {
      const call = c.get("call");
      const { delivery_id } = c.req.valid("param");
      const resend = (keyStatements: KeyStatements) => resendDelivery(call, delivery_id, keyStatements);
      const key = await readIdempotencyKey(c, "delivery.resend");
      const { delivery, due } = await runOnce(call, key, { delivery_id }, resend, (id) => replayResend(call, id));
      if (due) c.executionCtx.waitUntil(sendIdsInBackground(c.env, due));
      return ok(c, delivery, 202);
    },
  );
