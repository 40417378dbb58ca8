// Login, refresh, logout, sessions, bootstrap; what is public stands in `publicAuth`.
import { createRoute, z } from "@hono/zod-openapi";
import { answer, body, EXAMPLE, Id, newRouter, ok, problems, SECURED, Timestamp } from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import { UUID } from "../../platform/ids.ts";
import { clearRefreshCookie, refreshCookie } from "../sessions/cookies.ts";
import { endSession, listSessions, rotate } from "../sessions/sessions.ts";
import { exampleTokens, TokenPair, tokens } from "../sessions/token-pair.ts";
import { bootstrap } from "./bootstrap.ts";
import { clientOf, login } from "./login.ts";
import { Email, Password, Username } from "./names.ts";
import { Transport } from "./registration.ts";

const LoginBody = z
  .strictObject({
    email: z.string().min(1).max(320).optional(),
    username: z.string().min(1).max(320).optional(),
    password: Password,
    transport: Transport,
  })
  .refine((b) => (b.email === undefined) !== (b.username === undefined), { message: "Give email or username", path: ["email"] })
  .openapi("Login");

const loginRoute = createRoute({
  method: "post",
  path: "/auth/login",
  tags: ["Authentication"],
  summary: "Log in by e-mail or user name",
  request: { body: body(LoginBody, { email: "asha@example.org", password: "correct horse battery" }) },
  responses: { 200: answer(TokenPair, "A session", exampleTokens), ...problems(401, 413, 415, 423) },
});

const refreshRoute = createRoute({
  method: "post",
  path: "/auth/refresh",
  tags: ["Authentication"],
  summary: "Trade a refresh token, in the body or the cookie, for its successor",
  request: {
    body: body(z.strictObject({ refresh_token: z.string().max(400).optional() }), { refresh_token: "ecr_…" }),
  },
  responses: { 200: answer(TokenPair, "The next tokens", exampleTokens), ...problems(401, 403, 413, 415) },
});

const bootstrapRoute = createRoute({
  method: "post",
  path: "/auth/bootstrap",
  tags: ["Authentication"],
  summary: "Make the first administrator",
  request: {
    body: body(
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
    201: answer(z.object({ user_id: Id }), "The administrator", { user_id: EXAMPLE.user }),
    ...problems(401, 409, 413, 415),
  },
});

export const publicAuth = newRouter()
  .openapi(loginRoute, async (c) => {
    const input = c.req.valid("json");
    const session = await login(c.get("call"), input.email ?? input.username ?? "", input.password, clientOf(c));
    return ok(c, await tokens(c, session, input.transport));
  })
  .openapi(refreshRoute, async (c) => {
    const inBody = c.req.valid("json").refresh_token;
    const token = inBody ?? refreshCookie(c);
    if (token === undefined) throw new ApiError("invalid_refresh_token");
    const session = await rotate(c.get("call"), token);
    return ok(c, await tokens(c, session, inBody === undefined ? "cookie" : "json"));
  })
  .openapi(bootstrapRoute, async (c) => {
    const { token, ...input } = c.req.valid("json");
    return ok(c, { user_id: await bootstrap(c.get("call"), token, input) }, 201);
  });

const Session = z
  .object({
    session_id: Id,
    current: z.boolean(),
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    user_agent: z.string().nullable(),
    ip: z.string().nullable(),
  })
  .openapi("Session");

const Ended = z.object({ session_id: Id });

export const authRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/auth/logout",
      tags: ["Authentication"],
      summary: "End this session",
      security: SECURED,
      responses: {
        200: answer(Ended, "The session that ended", { session_id: EXAMPLE.session }),
        ...problems(401, 403, 404),
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
      summary: "My sessions",
      security: SECURED,
      responses: {
        200: answer(z.array(Session), "Live sessions, newest first", [
          {
            session_id: EXAMPLE.session,
            current: true,
            created_at: EXAMPLE.time,
            last_used_at: EXAMPLE.time,
            expires_at: EXAMPLE.time,
            user_agent: "curl/8.5.0",
            ip: "203.0.113.7",
          },
        ]),
        ...problems(401, 403),
      },
    }),
    async (c) => ok(c, await listSessions(c.get("call"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/auth/sessions/{session_id}",
      tags: ["Authentication"],
      summary: "End one of my sessions",
      security: SECURED,
      request: { params: z.object({ session_id: z.string().regex(UUID).openapi({ format: "uuid", example: EXAMPLE.session }) }) },
      responses: {
        200: answer(Ended, "The session that ended", { session_id: EXAMPLE.session }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => {
      const { session_id } = c.req.valid("param");
      await endSession(c.get("call"), session_id, "revoked");
      return ok(c, { session_id });
    },
  );
