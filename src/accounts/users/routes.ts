// Accounts from the side of those who manage them.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../../http/idempotency.ts";
import { limitSignup } from "../../http/rate-limit.ts";
import {
  answer,
  body,
  EXAMPLE,
  etag,
  Id,
  ifMatch,
  matchHeaders,
  newRouter,
  ok,
  onceHeaders,
  page,
  pageAnswer,
  problems,
  SECURED,
  Timestamp,
} from "../../http/router.ts";
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { Email, Password, Username } from "../auth/names.ts";
import { issueReset, replayReset } from "../passwords/password-reset.ts";
import { endUserSessions, removeUser, updateUser } from "./changes.ts";
import { getUser, listUsers } from "./directory.ts";
import { exampleUser, FullName, User, UserChange, userParam, userQuery } from "./shapes.ts";
import { createStaff, replayStaff, unlockUser } from "./users.ts";

const NewStaff = z
  .strictObject({
    email: Email,
    username: Username.optional(),
    full_name: FullName,
    password: Password,
    role: z.enum(STAFF_ROLES),
    hospital_id: Id.optional().openapi({ description: "Needed from administrators; others create at their own hospital" }),
  })
  .openapi("NewStaff");

const Created = z.object({ user_id: Id });
const created = { user_id: EXAMPLE.user };
const tags = ["Accounts"];

export const userRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/users",
      tags,
      summary: "Create a member of staff",
      security: SECURED,
      request: {
        headers: onceHeaders,
        body: body(NewStaff, {
          email: "ravi@example.org",
          username: "ravi.kumar",
          full_name: "Ravi Kumar",
          password: "quiet river stones",
          role: "nurse",
          hospital_id: EXAMPLE.hospital,
        }),
      },
      responses: { 201: answer(Created, "The account", { user_id: EXAMPLE.user }), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      await limitSignup(c.env, call.actor);
      const create = (taking: Taking) => createStaff(call, input, taking);
      const id = await once(call, await readClaim(c, "user.create"), input, create, (id) => replayStaff(call, id));
      return ok(c, { user_id: id }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/users/{user_id}/unlock",
      tags,
      summary: "Lift the lock that failed logins set",
      security: SECURED,
      request: { params: userParam },
      responses: { 200: answer(Created, "The unlocked account", { user_id: EXAMPLE.user }), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { user_id } = c.req.valid("param");
      await unlockUser(c.get("call"), user_id);
      return ok(c, { user_id });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/users",
      tags,
      summary: "Accounts that I manage",
      security: SECURED,
      request: { query: userQuery },
      responses: { 200: pageAnswer(User, "Newest first", exampleUser), ...problems(401, 403, 404) },
    }),
    async (c) => page(c, await listUsers(c.get("call"), c.req.valid("query"), "user:read")),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/users/{user_id}",
      tags,
      summary: "One account",
      security: SECURED,
      request: { params: userParam },
      responses: { 200: answer(User, "The account", exampleUser), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const user = await getUser(c.get("call"), c.req.valid("param").user_id);
      c.header("ETag", etag(user.version));
      return ok(c, user);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/users/{user_id}",
      tags,
      summary: "Change an account, or what it is at my hospital",
      security: SECURED,
      request: { params: userParam, headers: matchHeaders, body: body(UserChange, { is_active: true }) },
      responses: {
        200: answer(User, "As it is now", exampleUser),
        ...problems(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const user = await updateUser(c.get("call"), c.req.valid("param").user_id, ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(user.version));
      return ok(c, user);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/users/{user_id}",
      tags,
      summary: "Deactivate an account; for a hospital administrator, end the membership",
      security: SECURED,
      request: { params: userParam },
      responses: { 200: answer(Created, "The account", created), ...problems(401, 403, 404, 409) },
    }),
    async (c) => {
      const { user_id } = c.req.valid("param");
      await removeUser(c.get("call"), user_id);
      return ok(c, { user_id });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/users/{user_id}/sessions",
      tags,
      summary: "Log a person out everywhere; for a hospital administrator, where they act for the hospital",
      security: SECURED,
      request: { params: userParam },
      responses: {
        200: answer(Created.extend({ ended: z.number().int() }), "How many sessions ended", { ...created, ended: 2 }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => {
      const { user_id } = c.req.valid("param");
      return ok(c, { user_id, ended: await endUserSessions(c.get("call"), user_id) });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/users/{user_id}/password-reset",
      tags,
      summary: "A link to a new password; hand it over",
      security: SECURED,
      request: { params: userParam, headers: onceHeaders },
      responses: {
        201: answer(z.object({ url: z.string(), token: z.string(), expires_at: Timestamp }), "Good once, for 30 minutes", {
          url: "https://edgecare.example.org/invitation#token=ecp_…",
          token: "ecp_…",
          expires_at: EXAMPLE.time,
        }),
        ...problems(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { user_id } = c.req.valid("param");
      const { origin } = new URL(c.req.url);
      const create = (taking: Taking) => issueReset(call, user_id, origin, taking);
      const claim = await readClaim(c, "password_reset.create");
      return ok(c, await once(call, claim, { user_id }, create, (id) => replayReset(call, id, user_id, origin)), 201);
    },
  );
