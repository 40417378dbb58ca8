// Shapes of webhooks and their deliveries in requests and responses.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { DELIVERY_STATUSES } from "../../platform/db/vocabulary.ts";
import { MAX_URL_LENGTH } from "../../platform/safe-addresses.ts";
import { singleLine } from "../../platform/text.ts";
import { WEBHOOK_EVENTS } from "../kinds.ts";

const EXAMPLE_URL = "https://his.example.org/edgecare";

export const fields = {
  url: z.string().min(1).max(MAX_URL_LENGTH).openapi({
    description: "https, port 443 or 8443, with a public host name or address; no user name or password",
    example: EXAMPLE_URL,
  }),
  description: singleLine(200).nullable(),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1).max(WEBHOOK_EVENTS.length),
  include_data: z.boolean().openapi({
    description: "Adds clinical fields to the payload. Needs a sign-in of the last 10 minutes; each delivery is audited",
  }),
};

export const Webhook = z
  .object({
    webhook_id: Id,
    hospital_id: Id,
    url: z.string(),
    description: z.string().nullable(),
    events: z.array(z.string()),
    include_data: z.boolean(),
    is_active: z.boolean(),
    failing_since: Timestamp.nullable().openapi({ description: "The first failure since the last success" }),
    disabled_at: Timestamp.nullable(),
    disabled_reason: z.enum(["failures", "gone", "person"]).nullable().openapi({
      description: "failures: five days without a success. gone: the receiver answered 410. person: switched off by hand",
    }),
    former_secret_ends_at: Timestamp.nullable().openapi({ description: "Until when the replaced secret signs too" }),
    created_by: Id,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Webhook");
export const exampleWebhook = {
  webhook_id: EXAMPLES.webhook,
  hospital_id: EXAMPLES.hospital,
  url: EXAMPLE_URL,
  description: "hospital information system",
  events: ["alert.raised", "report.created"],
  include_data: false,
  is_active: true,
  failing_since: null,
  disabled_at: null,
  disabled_reason: null,
  former_secret_ends_at: null,
  created_by: EXAMPLES.user,
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};

export const WebhookWithSecret = Webhook.extend({
  secret: z.string().nullable().openapi({
    description: "Signing secret, shown once; null on a replay with the same Idempotency-Key",
  }),
}).openapi("NewWebhook");
export const exampleWithSecret = { ...exampleWebhook, secret: "whsec_…" };

export const WebhookDelivery = z
  .object({
    message_id: Id.openapi({ description: "The id of the event" }),
    webhook_id: Id,
    type: z.string().openapi({ description: "Event type" }),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.number().int(),
    next_attempt_at: Timestamp.nullable(),
    attempted_at: Timestamp.nullable(),
    settled_at: Timestamp.nullable(),
    answer_status: z.number().int().nullable().openapi({ description: "HTTP status of the last answer" }),
    answer_text: z.string().nullable().openapi({ description: "The first kilobyte of the last answer, or why there was none" }),
    created_at: Timestamp,
  })
  .openapi("WebhookDelivery");
export const exampleDelivery = {
  message_id: EXAMPLES.delivery,
  webhook_id: EXAMPLES.webhook,
  type: "report.created",
  status: "accepted" as const,
  attempts: 1,
  next_attempt_at: null,
  attempted_at: EXAMPLES.time,
  settled_at: EXAMPLES.time,
  answer_status: 204,
  answer_text: null,
  created_at: EXAMPLES.time,
};
