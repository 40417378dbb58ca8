// Routes of a person's phone number for text messages.
import { createRoute, z } from "@hono/zod-openapi";
import { limitPhoneCode } from "../../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { phoneNumber, toE164 } from "../../platform/phone.ts";
import {
  getPhone,
  MAX_ATTEMPTS,
  MAX_CODES_PER_PERSON,
  removePhone,
  sendPhoneCode,
  verifyPhoneCode,
} from "./phone-verification.ts";

const tags = ["Notifications"];
const path = "/notification-settings/phone";
const examplePhone = "+919876543210";
const Phone = z.string().openapi({ description: "E.164", example: examplePhone });

export const phoneRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path,
      tags,
      summary: "Get your phone number for text messages",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(
          z
            .object({
              is_on: z.boolean().openapi({ description: "Whether this deployment sends text messages" }),
              phone: Phone.nullable(),
              verified_at: Timestamp.nullable(),
              pending: z
                .object({ phone: Phone, expires_at: Timestamp })
                .nullable()
                .openapi({ description: "Waits for its code" }),
            })
            .openapi("NotificationPhone"),
          "The verified number, and one that waits for its code",
          { is_on: true, phone: examplePhone, verified_at: EXAMPLES.time, pending: null },
        ),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await getPhone(c.get("call"), c.env)),
  )
  .openapi(
    createRoute({
      method: "put",
      path,
      tags,
      summary: "Send a code to a phone number",
      description:
        `The number replaces the verified one once its code is entered. At most one code per minute and ${MAX_CODES_PER_PERSON} ` +
        "per 24 hours. 501 where text messages are off.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(
          z.strictObject({
            phone: phoneNumber
              .transform((text) => toE164(text) ?? "")
              .refine((phone) => phone !== "", "Must begin with + and the code of the country"),
          }),
          { phone: "+91 98765 43210" },
        ),
      },
      responses: {
        202: jsonResponse(z.object({ phone: Phone, expires_at: Timestamp }), "A code is on its way", {
          phone: examplePhone,
          expires_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 413, 415, 501),
      },
    }),
    async (c) => {
      await limitPhoneCode(c);
      return ok(c, await sendPhoneCode(c.get("call"), c.env, c.req.valid("json").phone), 202);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: `${path}/verify`,
      tags,
      summary: "Verify a phone number with its code",
      description: `At most ${MAX_ATTEMPTS} attempts per code.`,
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(
          z.strictObject({
            code: z
              .string()
              .max(6)
              .regex(/^[0-9]{6}$/, "Must be six digits"),
          }),
          { code: "123456" },
        ),
      },
      responses: {
        200: jsonResponse(z.object({ phone: Phone, verified_at: Timestamp }), "The verified number", {
          phone: examplePhone,
          verified_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 413, 415),
      },
    }),
    async (c) => ok(c, await verifyPhoneCode(c.get("call"), c.req.valid("json").code)),
  )
  .openapi(
    createRoute({
      method: "delete",
      path,
      tags,
      summary: "Remove your phone number for text messages",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(z.object({ phone: z.null() }), "No number is stored", { phone: null }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await removePhone(c.get("call"))),
  );
