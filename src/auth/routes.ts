// Login, refresh, logout, sessions, bootstrap; what is public stands in `publicAuth`.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ROLES } from "../db/schema.ts";
import { ApiError } from "../errors.ts";
import { UUID } from "../ids.ts";
import { type AppEnv, answer, body, EXAMPLE, Id, newRouter, ok, problems, SECURED, Timestamp } from "../router.ts";
import { me } from "../users/users.ts";
import { bootstrap } from "./bootstrap.ts";
import { clearRefreshCookie, refreshCookie, setRefreshCookie } from "./cookies.ts";
import { clientOf, type Login, login } from "./login.ts";
import { Email, Password, Username } from "./names.ts";
import { endSession, listSessions, rotate } from "./sessions.ts";
import { accessTokenLife, signAccessToken } from "./tokens.ts";

const LoginBody = z
  .strictObject({
    email: z.string().min(1).max(320).optional(),
    username: z.string().min(1).max(320).optional(),
    password: Password,
    transport: z.enum(["json", "cookie"]).default("json").openapi({ description: "Where the refresh token goes" }),
  })
  .refine((b) => (b.email === undefined) !== (b.username === undefined), { message: "Give email or username", path: ["email"] })
  .openapi("Login");

const TokenPair = z
  .object({
    access_token: z.string(),
    token_type: z.literal("bearer"),
    expires_in: z.number().int().openapi({ description: "Seconds" }),
    refresh_token: z.string().nullable().openapi({ description: "Null when it went into the cookie" }),
    user_id: Id,
    role: z.enum(ROLES),
    hospital_id: Id.nullable(),
  })
  .openapi("TokenPair");

const exampleTokens = {
  access_token: "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…",
  token_type: "bearer" as const,
  expires_in: 900,
  refresh_token: "ecr_…",
  user_id: EXAMPLE.user,
  role: "doctor" as const,
  hospital_id: EXAMPLE.hospital,
};

async function tokens(c: Context<AppEnv>, session: Login, transport: "json" | "cookie") {
  const { keys, now } = c.get("call");
  if (transport === "cookie") setRefreshCookie(c, session.refreshToken);
  return {
    access_token: await signAccessToken(c.env, keys.jwt, session, now),
    token_type: "bearer" as const,
    expires_in: accessTokenLife(c.env),
    refresh_token: transport === "json" ? session.refreshToken : null,
    user_id: session.userId,
    role: session.claimed.role,
    hospital_id: session.claimed.hospitalId,
  };
}

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

const Me = z
  .object({
    user_id: Id,
    email: z.string(),
    username: z.string().nullable(),
    full_name: z.string(),
    role: z.enum(ROLES),
    hospital: z.object({ id: Id, name: z.string() }).nullable(),
    created_at: Timestamp,
  })
  .openapi("Me");

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
      method: "get",
      path: "/auth/me",
      tags: ["Authentication"],
      summary: "Who I am",
      security: SECURED,
      responses: {
        200: answer(Me, "The caller", {
          user_id: EXAMPLE.user,
          email: "asha@example.org",
          username: "asha.rao",
          full_name: "Asha Rao",
          role: "doctor",
          hospital: { id: EXAMPLE.hospital, name: "Demo General" },
          created_at: EXAMPLE.time,
        }),
        ...problems(401, 403),
      },
    }),
    async (c) => ok(c, await me(c.get("call"))),
  )
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
      request: { params: z.object({ session_id: z.string().regex(UUID).openapi({ example: EXAMPLE.session }) }) },
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
