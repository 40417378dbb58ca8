// Routes of webhooks and their deliveries.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
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
  pageResponse,
  problemResponses,
} from "../../http/router.ts";
import { createUrlCheck } from "./check-url.ts";
import {
  exampleDelivery,
  exampleWebhook,
  exampleWithSecret,
  fields,
  Webhook,
  WebhookDelivery,
  WebhookWithSecret,
} from "./schemas.ts";
import { enableWebhook, rotateSecret, testWebhook } from "./webhook-actions.ts";
import { getWebhookDelivery, listWebhookDeliveries, resendDelivery } from "./webhook-deliveries.ts";
import { createWebhook, deleteWebhook, getWebhook, listWebhooks, updateWebhook } from "./webhooks.ts";

const tags = ["Webhooks"];
const webhookParam = z.object({ webhook_id: Id.openapi({ example: EXAMPLES.webhook }) });

export const webhookRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/webhooks",
      tags,
      summary: "Create a webhook",
      description: "The signing secret is shown once. Requests are signed as the Standard Webhooks specification says.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(
          z
            .strictObject({
              ...fields,
              description: fields.description.default(null),
              include_data: fields.include_data.default(false),
              hospital_id: Id.optional().openapi({ description: "Required for administrators" }),
            })
            .openapi("WebhookRequest"),
          { url: exampleWebhook.url, description: "hospital information system", events: ["alert.raised", "report.created"] },
        ),
      },
      responses: {
        201: jsonResponse(WebhookWithSecret, "The webhook", exampleWithSecret),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => createWebhook(call, input, createUrlCheck(c.env), keyStatements);
      const replay = async (id: string) => ({ ...(await getWebhook(call, id)), secret: null });
      return ok(c, await runOnce(call, await readIdempotencyKey(c, "webhook.create"), input, create, replay), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/webhooks",
      tags,
      summary: "List webhooks",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }) }) },
      responses: { 200: pageResponse(Webhook, "Newest first", exampleWebhook), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listWebhooks(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/webhooks/{webhook_id}",
      tags,
      summary: "Get a webhook",
      security: BEARER_AUTH,
      request: { params: webhookParam },
      responses: { 200: jsonResponse(Webhook, "The webhook", exampleWebhook), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getWebhook(c.get("call"), c.req.valid("param").webhook_id)),
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/webhooks/{webhook_id}",
      tags,
      summary: "Update a webhook",
      description:
        "A change of the address of a webhook with include_data, or of one that had it in the last 90 days, needs a sign-in of the last 10 minutes.",
      security: BEARER_AUTH,
      request: {
        params: webhookParam,
        headers: ifMatchHeaders,
        body: jsonRequestBody(
          z
            .strictObject({ ...fields, is_active: z.boolean() })
            .partial()
            .refine((change) => Object.keys(change).length > 0, "At least one field is required")
            .openapi("WebhookChange"),
          { events: ["alert.raised"] },
        ),
      },
      responses: {
        200: jsonResponse(Webhook, "The webhook", exampleWebhook),
        ...problemResponses(401, 403, 404, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { webhook_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const checkUrl = createUrlCheck(c.env);
      return ok(c, await changeIfMatch(c, (call, expected) => updateWebhook(call, webhook_id, expected, change, checkUrl)));
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/webhooks/{webhook_id}",
      tags,
      summary: "Delete a webhook",
      description: "Deliveries that are still to be sent are cancelled.",
      security: BEARER_AUTH,
      request: { params: webhookParam },
      responses: {
        200: jsonResponse(z.object({ webhook_id: Id }), "The deleted webhook", { webhook_id: EXAMPLES.webhook }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { webhook_id } = c.req.valid("param");
      await deleteWebhook(c.get("call"), webhook_id);
      return ok(c, { webhook_id });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/webhooks/{webhook_id}/rotate-secret",
      tags,
      summary: "Rotate the signing secret of a webhook",
      description:
        "The new secret is shown once. For 24 hours each delivery has a signature of the new and of the replaced secret; " +
        "a secret that was replaced before ends at once.",
      security: BEARER_AUTH,
      request: { params: webhookParam, headers: idempotencyHeaders },
      responses: {
        201: jsonResponse(WebhookWithSecret, "The webhook with its new secret", exampleWithSecret),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { webhook_id } = c.req.valid("param");
      const create = (keyStatements: KeyStatements) => rotateSecret(call, webhook_id, keyStatements);
      const replay = async (id: string) => ({ ...(await getWebhook(call, id)), secret: null });
      return ok(c, await runOnce(call, await readIdempotencyKey(c, "webhook.rotate"), { webhook_id }, create, replay), 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/webhooks/{webhook_id}/test",
      tags,
      summary: "Send a test event to a webhook",
      description: "The delivery log shows the answer.",
      security: BEARER_AUTH,
      request: { params: webhookParam, headers: idempotencyHeaders },
      responses: {
        202: jsonResponse(WebhookDelivery, "The delivery", { ...exampleDelivery, type: "webhook.test" }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { webhook_id } = c.req.valid("param");
      const create = (keyStatements: KeyStatements) => testWebhook(call, webhook_id, keyStatements);
      const replay = (id: string) => getWebhookDelivery(call, webhook_id, id);
      return ok(c, await runOnce(call, await readIdempotencyKey(c, "webhook.test"), { webhook_id }, create, replay), 202);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/webhooks/{webhook_id}/enable",
      tags,
      summary: "Switch a webhook on again",
      security: BEARER_AUTH,
      request: { params: webhookParam },
      responses: { 200: jsonResponse(Webhook, "The webhook", exampleWebhook), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await enableWebhook(c.get("call"), c.req.valid("param").webhook_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/webhooks/{webhook_id}/deliveries",
      tags,
      summary: "List the deliveries of a webhook",
      security: BEARER_AUTH,
      request: { params: webhookParam, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(WebhookDelivery, "Newest first", exampleDelivery), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listWebhookDeliveries(c.get("call"), c.req.valid("param").webhook_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/webhooks/{webhook_id}/deliveries/{message_id}/resend",
      tags,
      summary: "Send a delivery of a webhook again",
      description:
        "With the same body and webhook-id, and a new timestamp and signature. A body with clinical fields needs a sign-in of the last 10 " +
        "minutes, and loses them if the webhook has no include_data any more.",
      security: BEARER_AUTH,
      request: { params: webhookParam.extend({ message_id: Id.openapi({ example: EXAMPLES.delivery }) }) },
      responses: {
        202: jsonResponse(WebhookDelivery, "The delivery", { ...exampleDelivery, status: "waiting", settled_at: null }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { webhook_id, message_id } = c.req.valid("param");
      return ok(c, await resendDelivery(c.get("call"), webhook_id, message_id), 202);
    },
  );
