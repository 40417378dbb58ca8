// Routes: verification and change of the account's e-mail address.
import { createRoute, z } from "@hono/zod-openapi";
import { limitLink, limitPasswordChange } from "../../http/rate-limit.ts";
import { BEARER_AUTH, createRouter, jsonRequestBody, jsonResponse, ok, problemResponses } from "../../http/router.ts";
import { Email } from "../../platform/email.ts";
import { Password } from "../auth/login-names.ts";
import { requestAddressChange } from "./change-address.ts";
import { redeemEmailLink, resendVerification } from "./verification.ts";

const tags = ["Accounts"];
const Sent = z.object({ sent: z.literal(true) });
const sent = { sent: true as const };

export const publicEmailRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/auth/email/verify",
    tags,
    summary: "Confirm an e-mail address with a link",
    description: "Verifies the address of the account, or moves the account to the address, as the link says.",
    request: { body: jsonRequestBody(z.strictObject({ token: z.string().min(1).max(200) }), { token: "ecv_…" }) },
    responses: {
      200: jsonResponse(z.object({ verified: z.literal(true) }), "The address is verified", { verified: true }),
      ...problemResponses(403, 413, 415),
    },
  }),
  async (c) => {
    const { token } = c.req.valid("json");
    await limitLink(c, token);
    await redeemEmailLink(c.get("call"), token);
    return ok(c, { verified: true as const });
  },
);

export const emailRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/email/verification",
      tags,
      summary: "Mail another verification link",
      description: "At most one per minute and five per day. The link is valid for 24 hours.",
      security: BEARER_AUTH,
      responses: { 200: jsonResponse(Sent, "The link is being sent", sent), ...problemResponses(401, 403, 409) },
    }),
    async (c) => {
      await resendVerification(c.get("call"));
      return ok(c, sent);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/email/change",
      tags,
      summary: "Change your e-mail address",
      description:
        "Sends a link to the new address, valid for 24 hours; the account moves to it when the link is opened. The answer does not tell whether another account has the address. At most one request per minute and five per day.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(z.strictObject({ email: Email, password: Password }), {
          email: "asha.rao@example.org",
          password: "quiet river stones",
        }),
      },
      responses: { 200: jsonResponse(Sent, "Accepted", sent), ...problemResponses(401, 403, 413, 415, 423) },
    }),
    async (c) => {
      const { email, password } = c.req.valid("json");
      await requestAddressChange(c.get("call"), email, password, () => limitPasswordChange(c));
      return ok(c, sent);
    },
  );
