// Routes: reset links of passwords.
import { createRoute, z } from "@hono/zod-openapi";
import { limitForgottenPassword, limitLink } from "../../http/rate-limit.ts";
import { createRouter, jsonRequestBody, jsonResponse, ok, problemResponses } from "../../http/router.ts";
import { Email } from "../../platform/email.ts";
import { computeEmailIndex, Password } from "../auth/login-names.ts";
import { sendResetLink } from "./forgotten-password.ts";
import { redeemResetLink } from "./password-reset.ts";

const tags = ["Accounts"];
const sent = { sent: true as const };

export const publicPasswordRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/password/forgot",
      tags,
      summary: "Mail a password reset link",
      description:
        "The answer is the same for every address. A link is sent to the verified address of an active account, at most one per 15 minutes; it is valid for 30 minutes.",
      request: { body: jsonRequestBody(z.strictObject({ email: Email }), { email: "asha@example.org" }) },
      responses: { 200: jsonResponse(z.object({ sent: z.literal(true) }), "Accepted", sent), ...problemResponses(413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const emailIndex = await computeEmailIndex(call.keys, c.req.valid("json").email);
      await limitForgottenPassword(c, emailIndex);
      await sendResetLink(call, emailIndex);
      return ok(c, sent);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/password/reset",
      tags,
      summary: "Reset a password with a link",
      request: {
        body: jsonRequestBody(z.strictObject({ token: z.string().min(1).max(200), new_password: Password }), {
          token: "ecp_…",
          new_password: "lanterns over seven hills",
        }),
      },
      responses: {
        200: jsonResponse(z.object({ changed: z.literal(true) }), "The password was changed", { changed: true }),
        ...problemResponses(403, 413, 415),
      },
    }),
    async (c) => {
      const { token, new_password } = c.req.valid("json");
      await limitLink(c, token);
      await redeemResetLink(c.get("call"), token, new_password);
      return ok(c, { changed: true as const });
    },
  );
