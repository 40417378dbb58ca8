// Routes of Web Push: the deployment's key and the caller's browsers.
import { createRoute, z } from "@hono/zod-openapi";
import { requireRole } from "../../access/access.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { describeClient } from "../../platform/client-names.ts";
import { singleLine } from "../../platform/text.ts";
import { MAX_ENDPOINT_BYTES } from "./endpoints.ts";
import { deleteSubscription, listSubscriptions, MAX_SUBSCRIPTIONS, registerSubscription } from "./subscriptions.ts";
import { publicVapidKey } from "./vapid.ts";

const tags = ["Notifications"];
const SubscriptionId = Id.openapi({ example: EXAMPLES.subscription });

const PushSubscription = z
  .object({
    subscription_id: SubscriptionId,
    service: z.string().openapi({ description: "Host of the push service" }),
    endpoint_digest: z.string().openapi({ description: "SHA-256 of the endpoint in hexadecimal; the endpoint is not returned" }),
    browser: z.string().nullable(),
    created_at: Timestamp,
    renewed_at: Timestamp,
  })
  .openapi("PushSubscription");
const example = {
  subscription_id: EXAMPLES.subscription,
  service: "push.example.com",
  endpoint_digest: "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
  browser: "Chrome on Android",
  created_at: EXAMPLES.time,
  renewed_at: EXAMPLES.time,
};
const Base64Url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const NewPushSubscription = z
  .strictObject({
    endpoint: z.string().max(MAX_ENDPOINT_BYTES).openapi({ description: "https address of the push service" }),
    keys: z.strictObject({
      p256dh: Base64Url.length(87).openapi({ description: "P-256 public key, uncompressed, base64url" }),
      auth: Base64Url.length(22).openapi({ description: "Authentication secret of 16 bytes, base64url" }),
    }),
    browser: singleLine(100)
      .optional()
      .openapi({ description: "For the person to recognize it; by default from the User-Agent header" }),
  })
  .openapi("NewPushSubscription");

export const pushRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/push/key",
      tags,
      summary: "Get the Web Push key",
      description: "The public key of this deployment (VAPID, RFC 8292), as `applicationServerKey` of a subscription.",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(
          z
            .object({
              is_on: z.boolean(),
              public_key: z.string().nullable().openapi({ description: "base64url; null where Web Push is off" }),
            })
            .openapi("PushKey"),
          "The key",
          { is_on: true, public_key: "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8" },
        ),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => {
      const { call } = await requireRole(c.get("call"), "notification:read");
      const publicKey = publicVapidKey(call.keys);
      return ok(c, { is_on: publicKey !== null, public_key: publicKey });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/push/subscriptions",
      tags,
      summary: "List your browsers with Web Push",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(
          z.object({ subscriptions: z.array(PushSubscription) }),
          `At most ${MAX_SUBSCRIPTIONS}, the last renewed first`,
          { subscriptions: [example] },
        ),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await listSubscriptions(c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/push/subscriptions",
      tags,
      summary: "Register a browser for Web Push",
      description:
        "The same endpoint again renews its subscription, and becomes the caller's if another person had registered it. " +
        `Beyond ${MAX_SUBSCRIPTIONS} browsers the one that was renewed longest ago is removed.`,
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(NewPushSubscription, {
          endpoint: "https://push.example.com/send/d1k2Jx0",
          keys: {
            p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            auth: "BTBZMqHH6r4Tts7J_aSIgg",
          },
          browser: "Chrome on Android",
        }),
      },
      responses: {
        201: jsonResponse(PushSubscription, "The subscription", example),
        ...problemResponses(401, 403, 413, 415, 501),
      },
    }),
    async (c) => {
      const { browser = describeClient(c.req.header("User-Agent")) ?? undefined, ...input } = c.req.valid("json");
      return ok(c, await registerSubscription(c.env, c.get("call"), { ...input, browser }), 201);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/push/subscriptions/{push_subscription_id}",
      tags,
      summary: "Remove a browser from Web Push",
      security: BEARER_AUTH,
      request: { params: z.object({ push_subscription_id: SubscriptionId }) },
      responses: {
        200: jsonResponse(z.object({ subscription_id: SubscriptionId }), "The subscription that was removed", {
          subscription_id: EXAMPLES.subscription,
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await deleteSubscription(c.get("call"), c.req.valid("param").push_subscription_id)),
  );
