// The route that the provider of text messages calls.

import { createRoute, z } from "@hono/zod-openapi";
import { createRouter, problemResponses } from "../../http/router.ts";
import { MESSAGE_SID } from "./provider-answers.ts";
import { applyCallback } from "./status-callback.ts";

const Field = z.string().max(2_000);

export const publicSmsRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/sms/status",
    tags: ["Notifications"],
    summary: "Receive the status of a text message",
    description:
      "Called by the provider. The request is signed with X-Twilio-Signature. A callback that is too old, or whose status is not " +
      "newer than what is known, gets 409.",
    request: {
      query: z.strictObject({
        delivery: z.string().min(1).max(200),
        sent: z.coerce.number().int().openapi({ description: "When the message was sent, epoch milliseconds" }),
      }),
      headers: z.object({ "x-twilio-signature": z.string().max(200).default("") }),
      body: {
        required: true,
        content: {
          "application/x-www-form-urlencoded": {
            schema: z
              .object({ MessageSid: Field.regex(MESSAGE_SID), MessageStatus: Field, ErrorCode: Field.optional() })
              .catchall(Field),
            example: { MessageSid: "SM1f0e8ae6ade43cb3c0ce4525424e404f", MessageStatus: "delivered" },
          },
        },
      },
    },
    responses: { 204: { description: "The status was stored" }, ...problemResponses(403, 404, 409, 413, 415, 501) },
  }),
  async (c) => {
    const { delivery, sent } = c.req.valid("query");
    const { pathname, search } = new URL(c.req.url);
    const form = new Map(
      Object.entries(c.req.valid("form")).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    const signature = c.req.valid("header")["x-twilio-signature"];
    await applyCallback(c.env, c.get("call"), { delivery, sent, target: pathname + search, signature, form });
    return c.body(null, 204);
  },
);
