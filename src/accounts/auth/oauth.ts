// The OAuth 2.0 password grant: RFC 6749 request, response and error format.
import { createRoute, z } from "@hono/zod-openapi";
import { problemResponse, toApiError } from "../../http/on-error.ts";
import { createRouter, problemResponses } from "../../http/router.ts";
import { SecondStepCode } from "../factors/schemas.ts";
import { signAccessToken } from "../sessions/access-tokens.ts";
import { login } from "./login.ts";
import { Password } from "./login-names.ts";

const oauthErrorResponse = (description: string) => ({
  description,
  content: {
    "application/json": {
      schema: z.object({ error: z.string(), error_description: z.string() }),
      example: { error: "invalid_grant", error_description: "Invalid credentials" },
    },
  },
});

/** OAuth 2.0 password grant (RFC 6749 §4.3): form body, response and errors without the JSON envelope. */
export const oauthTokenRoutes = createRouter().openapi(
  createRoute({
    method: "post",
    path: "/api/token",
    tags: ["Authentication"],
    summary: "Get a token with the OAuth 2.0 password grant",
    request: {
      body: {
        required: true,
        content: {
          "application/x-www-form-urlencoded": {
            schema: z.object({
              username: z.string().min(1).max(320),
              password: Password,
              grant_type: z.literal("password").optional(),
              scope: z.string().max(200).optional(),
              client_id: z.string().max(200).optional(),
              client_secret: z.string().max(200).optional(),
              mfa_code: SecondStepCode.optional(),
            }),
            example: { username: "asha@example.org", password: "correct horse battery" },
          },
        },
      },
    },
    responses: {
      200: {
        description: "An access token",
        content: {
          "application/json": {
            schema: z.object({ access_token: z.string(), token_type: z.literal("bearer") }),
            example: { access_token: "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…", token_type: "bearer" as const },
          },
        },
      },
      ...problemResponses(),
      400: oauthErrorResponse("invalid_request or unsupported_grant_type"),
      401: oauthErrorResponse("invalid_grant; mfa_required: the account has a second factor, send mfa_code"),
      423: oauthErrorResponse("invalid_grant: locked after too many failures"),
    },
  }),
  async (c) => {
    const { username, password, mfa_code } = c.req.valid("form");
    const session = await login(c, username, password, "json", mfa_code);
    const { keys, now } = c.get("call");
    // RFC 6749 §5.1 requires it beside Cache-Control.
    c.header("Pragma", "no-cache");
    const access_token = await signAccessToken(c.env, keys.jwt, session, now);
    return c.json({ access_token, token_type: "bearer" as const }, 200);
  },
);

const OAUTH_ERRORS = new Set([400, 401, 423]);

/** Maps errors to RFC 6749 §5.2; errors about neither client nor grant stay problem+json. */
oauthTokenRoutes.onError((thrown, c) => {
  const error = toApiError(thrown);
  if (!OAUTH_ERRORS.has(error.status)) return problemResponse(c, error);
  const invalidRequestError = error.errors.some(({ path }) => path === "grant_type")
    ? "unsupported_grant_type"
    : "invalid_request";
  const grantError = error.code === "second_step_required" ? "mfa_required" : "invalid_grant";
  const oauthError = error.status === 401 || error.status === 423 ? grantError : invalidRequestError;
  const problemAnswer = problemResponse(c, error);
  const headers = new Headers(problemAnswer.headers);
  headers.set("Content-Type", "application/json");
  return new Response(JSON.stringify({ error: oauthError, error_description: error.message }), {
    status: problemAnswer.status,
    headers,
  });
});
