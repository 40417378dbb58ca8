// Routes without a token: the second step of a login, and sign-in with a passkey.
import { createRoute, z } from "@hono/zod-openapi";
import { createRouter, jsonRequestBody, jsonResponse, ok, problemResponses, SETS_COOKIE } from "../../http/router.ts";
import { readClient } from "../auth/login.ts";
import { TokenTransport } from "../auth/registration.ts";
import { exampleTokens, issueTokens, TokenPair } from "../sessions/token-pair.ts";
import { createSignInOptions, loginWithPasskey } from "./passkey-login.ts";
import { exampleAssertion, exampleOptions, hasOneOf, PasskeyAssertion, SecondStepCode, WebAuthnOptions } from "./schemas.ts";
import { finishSecondStep } from "./second-step.ts";

const tags = ["Authentication"];

export const publicFactorRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/login/second-step",
      tags,
      summary: "Finish a login with its second step",
      description: "Failures count towards the lockout of the account. A ticket is valid for 5 minutes and used once.",
      request: {
        body: jsonRequestBody(
          hasOneOf(
            z.strictObject({
              ticket: z.string().min(1).max(2_000),
              code: SecondStepCode.optional(),
              passkey: PasskeyAssertion.optional(),
              transport: TokenTransport,
            }),
            ["code", "passkey"],
          ),
          { ticket: "eyJpZCI6…", code: "123456" },
        ),
      },
      responses: {
        200: { ...jsonResponse(TokenPair, "A session", exampleTokens), ...SETS_COOKIE },
        ...problemResponses(401, 413, 415, 423),
      },
    }),
    async (c) => {
      const { ticket, transport, ...answer } = c.req.valid("json");
      return ok(c, await issueTokens(c, await finishSecondStep(c, ticket, answer, transport, readClient(c)), transport));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/passkey/options",
      tags,
      summary: "Get options to sign in with a passkey",
      description: "The challenge is valid for 5 minutes and used once. No name is needed: passkeys are discoverable.",
      responses: { 200: jsonResponse(WebAuthnOptions, "Options", exampleOptions), ...problemResponses() },
    }),
    async (c) => ok(c, await createSignInOptions(c)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/passkey/login",
      tags,
      summary: "Sign in with a passkey",
      request: {
        body: jsonRequestBody(z.strictObject({ passkey: PasskeyAssertion, transport: TokenTransport }), {
          passkey: exampleAssertion,
        }),
      },
      responses: {
        200: { ...jsonResponse(TokenPair, "A session", exampleTokens), ...SETS_COOKIE },
        ...problemResponses(401, 413, 415),
      },
    }),
    async (c) => {
      const { passkey, transport } = c.req.valid("json");
      return ok(c, await issueTokens(c, await loginWithPasskey(c, passkey, transport, readClient(c)), transport));
    },
  );
