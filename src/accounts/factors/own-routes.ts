// Routes: the caller's second factors and step-up.
import { createRoute, z } from "@hono/zod-openapi";
import { limitFactor, limitPasswordChange } from "../../http/rate-limit.ts";
import { BEARER_AUTH, createRouter, EXAMPLES, jsonRequestBody, jsonResponse, ok, problemResponses } from "../../http/router.ts";
import { Password } from "../auth/login-names.ts";
import { confirmTotp, enrollTotp, listFactors, removeTotp, replaceRecoveryCodes } from "./own-factors.ts";
import {
  exampleCodes,
  exampleOptions,
  examplePasskey,
  hasOneOf,
  MethodName,
  PasskeyAssertion,
  RecoveryCodes,
  SecondFactors,
  SecondStepCode,
  WebAuthnOptions,
} from "./schemas.ts";
import { createStepUpOptions, stepUp } from "./step-up.ts";

const tags = ["Accounts"];
const exampleSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

export const factorRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/auth/mfa",
      tags,
      summary: "List your second factors",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(SecondFactors, "Factors without their secrets", {
          totp: { created_at: EXAMPLES.time },
          passkeys: [examplePasskey],
          recovery_codes_left: 10,
          second_step_required_from: null,
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await listFactors(c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/mfa/totp/enroll",
      tags,
      summary: "Begin to enrol an authenticator app",
      description: "Needs a sign-in of the last 10 minutes. Counts from its confirmation; a later enrolment replaces this one.",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(
          z.object({ secret: z.string().openapi({ description: "Base32" }), uri: z.string() }),
          "The secret, shown only now, and its otpauth URI (SHA-1, 6 digits, 30 s)",
          { secret: exampleSecret, uri: `otpauth://totp/EdgeCare:asha%40example.org?secret=${exampleSecret}&issuer=EdgeCare` },
        ),
        ...problemResponses(401, 403, 409),
      },
    }),
    async (c) => {
      await limitFactor(c);
      return ok(c, await enrollTotp(c.get("call")));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/mfa/totp/confirm",
      tags,
      summary: "Confirm an authenticator app with its first code",
      security: BEARER_AUTH,
      request: { body: jsonRequestBody(z.strictObject({ code: SecondStepCode }), { code: "123456" }) },
      responses: {
        200: jsonResponse(
          z.object({ recovery_codes: RecoveryCodes.nullable() }),
          "Confirmed; with recovery codes if the account had none",
          { recovery_codes: exampleCodes },
        ),
        ...problemResponses(401, 403, 409, 413, 415),
      },
    }),
    async (c) => {
      await limitFactor(c);
      return ok(c, await confirmTotp(c.get("call"), c.req.valid("json").code));
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/auth/mfa/totp",
      tags,
      summary: "Remove your authenticator app",
      description: "With the last factor, the recovery codes are removed too.",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(z.object({ removed: z.literal(true) }), "Removed", { removed: true }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      await removeTotp(c.get("call"));
      return ok(c, { removed: true as const });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/mfa/recovery-codes",
      tags,
      summary: "Replace your recovery codes",
      description: "The earlier codes end.",
      security: BEARER_AUTH,
      responses: {
        201: jsonResponse(z.object({ recovery_codes: RecoveryCodes }), "Ten new codes", { recovery_codes: exampleCodes }),
        ...problemResponses(401, 403, 409),
      },
    }),
    async (c) => {
      await limitFactor(c);
      return ok(c, await replaceRecoveryCodes(c.get("call")), 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/step-up/options",
      tags,
      summary: "Get the methods to prove who you are",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(
          z.object({
            methods: z.array(z.enum([...MethodName.options, "password"])),
            passkey_options: z.union([WebAuthnOptions, z.null()]),
          }),
          "The password only for somebody without a second factor",
          { methods: ["passkey", "recovery_code"], passkey_options: exampleOptions },
        ),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await createStepUpOptions(c.env, c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/step-up",
      tags,
      summary: "Prove who you are again",
      description: "Operations that answer 401 `step_up_required` are then allowed for 10 minutes. Five failures lock it for 15.",
      security: BEARER_AUTH,
      request: {
        body: jsonRequestBody(
          hasOneOf(
            z.strictObject({
              password: Password.optional(),
              code: SecondStepCode.optional(),
              passkey: PasskeyAssertion.optional(),
            }),
            ["password", "code", "passkey"],
          ),
          { password: "quiet river stones" },
        ),
      },
      responses: {
        200: jsonResponse(z.object({ renewed: z.literal(true) }), "The sign-in is recent again", { renewed: true }),
        ...problemResponses(401, 403, 413, 415, 423),
      },
    }),
    async (c) => {
      const answer = c.req.valid("json");
      const limit = () => (answer.password === undefined ? limitFactor(c) : limitPasswordChange(c));
      await stepUp(c.env, c.get("call"), answer, limit);
      return ok(c, { renewed: true as const });
    },
  );
