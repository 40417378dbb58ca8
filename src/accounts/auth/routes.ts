// Routes: login, token refresh, logout, sessions and bootstrap. `publicAuthRoutes` need no token.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import { limitRefresh } from "../../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  SETS_COOKIE,
  Timestamp,
} from "../../http/router.ts";
import { Email } from "../../platform/email.ts";
import { ApiError } from "../../platform/errors.ts";
import { SecondStepCode } from "../factors/schemas.ts";
import { clearRefreshCookie, readRefreshCookie } from "../sessions/refresh-cookie.ts";
import { endSession, listSessions, readRefreshToken, rotateRefreshToken } from "../sessions/sessions.ts";
import { exampleTokens, issueTokens, TokenPair } from "../sessions/token-pair.ts";
import { bootstrapAdmin } from "./bootstrap.ts";
import { login } from "./login.ts";
import { Password, Username } from "./login-names.ts";
import { TokenTransport } from "./registration.ts";

const LoginBody = z
  .strictObject({
    email: z.string().min(1).max(320).optional(),
    username: z.string().min(1).max(320).optional(),
    password: Password,
    mfa_code: SecondStepCode.optional(),
    transport: TokenTransport,
  })
  .refine((b) => (b.email === undefined) !== (b.username === undefined), {
    message: "Exactly one of email and username is required",
    path: ["email"],
  })
  .openapi("Login");

const loginRoute = createRoute({
  method: "post",
  path: "/auth/login",
  tags: ["Authentication"],
  summary: "Log in",
  description:
    "With a second factor and without `mfa_code`: 401 `second_step_required` with `ticket` (5 minutes, single use), `methods` and, " +
    "for a passkey, `passkey_options`; finish at /auth/login/second-step.",
  request: { body: jsonRequestBody(LoginBody, { email: "asha@example.org", password: "correct horse battery" }) },
  responses: {
    200: { ...jsonResponse(TokenPair, "A session", exampleTokens), ...SETS_COOKIE },
    ...problemResponses(401, 413, 415, 423),
  },
});

const refreshRoute = createRoute({
  method: "post",
  path: "/auth/refresh",
  tags: ["Authentication"],
  summary: "Refresh an access token",
  request: {
    body: jsonRequestBody(z.strictObject({ refresh_token: z.string().max(400).optional() }), { refresh_token: "ecr_…" }),
  },
  responses: {
    200: { ...jsonResponse(TokenPair, "The new tokens", exampleTokens), ...SETS_COOKIE },
    ...problemResponses(401, 403, 413, 415),
  },
});

const bootstrapRoute = createRoute({
  method: "post",
  path: "/auth/bootstrap",
  tags: ["Authentication"],
  summary: "Create the first administrator",
  request: {
    body: jsonRequestBody(
      z.strictObject({
        token: z.string().min(1).max(400),
        email: Email,
        username: Username.optional(),
        full_name: z.string().trim().min(1).max(200),
        password: Password,
      }),
      { token: "the BOOTSTRAP_TOKEN", email: "it@example.org", full_name: "Ira Menon", password: "correct horse battery" },
    ),
  },
  responses: {
    201: jsonResponse(z.object({ user_id: Id }), "The administrator", { user_id: EXAMPLES.user }),
    ...problemResponses(401, 409, 413, 415),
  },
});

export const publicAuthRoutes = createRouter()
  .openapi(loginRoute, async (c) => {
    const input = c.req.valid("json");
    const name = input.email ?? input.username ?? "";
    const session = await login(c, name, input.password, input.transport, input.mfa_code);
    return ok(c, await issueTokens(c, session, input.transport));
  })
  .openapi(refreshRoute, async (c) => {
    const bodyToken = c.req.valid("json").refresh_token;
    const token = bodyToken ?? readRefreshCookie(c);
    if (token === undefined) throw new ApiError("invalid_refresh_token");
    const call = c.get("call");
    const refreshToken = await readRefreshToken(call.keys, token);
    await limitRefresh(c, refreshToken.sessionId);
    const session = await rotateRefreshToken(call, refreshToken);
    return ok(c, await issueTokens(c, session, bodyToken === undefined ? "cookie" : "json"));
  })
  .openapi(bootstrapRoute, async (c) => {
    const { token, ...input } = c.req.valid("json");
    return ok(c, { user_id: await bootstrapAdmin(c.get("call"), token, input) }, 201);
  });

const Session = z
  .object({
    session_id: Id,
    current: z.boolean(),
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    authenticated_at: Timestamp.openapi({ description: "When the person last proved who they are" }),
    amr: z.array(z.string()).openapi({ description: "Methods of that proof (RFC 8176); `mfa`: with a second step" }),
    user_agent: z.string().nullable(),
    browser: z.string().nullable().openapi({ description: "From the User-Agent header; null when it is not recognized" }),
    system: z.string().nullable().openapi({ description: "Operating system, as above" }),
    ip: z.string().nullable(),
  })
  .openapi("Session");

const EndedSession = z.object({ session_id: Id });

export const authRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/logout",
      tags: ["Authentication"],
      summary: "Log out",
      security: BEARER_AUTH,
      responses: {
        200: { ...jsonResponse(EndedSession, "The ended session", { session_id: EXAMPLES.session }), ...SETS_COOKIE },
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const sessionId = call.actor.kind === "user" ? call.actor.sessionId : "";
      await endSession(call, sessionId, "logout");
      clearRefreshCookie(c);
      return ok(c, { session_id: sessionId });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/auth/sessions",
      tags: ["Authentication"],
      summary: "List your sessions",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(Session, "Active sessions, newest first", {
          session_id: EXAMPLES.session,
          current: true,
          created_at: EXAMPLES.time,
          last_used_at: EXAMPLES.time,
          expires_at: EXAMPLES.time,
          user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
          browser: "Chrome",
          system: "Linux",
          authenticated_at: EXAMPLES.time,
          amr: ["pwd", "otp", "mfa"],
          ip: "203.0.113.7",
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listSessions(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/auth/sessions/{session_id}",
      tags: ["Authentication"],
      summary: "End one of your sessions",
      security: BEARER_AUTH,
      request: {
        params: z.object({ session_id: Id.openapi({ example: EXAMPLES.session }) }),
      },
      responses: {
        200: jsonResponse(EndedSession, "The ended session", { session_id: EXAMPLES.session }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { session_id } = c.req.valid("param");
      await endSession(c.get("call"), session_id, "revoked");
      return ok(c, { session_id });
    },
  );
