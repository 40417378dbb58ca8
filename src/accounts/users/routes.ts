// Routes: user accounts, for managers.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { limitSignup } from "../../http/rate-limit.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { Email } from "../../platform/email.ts";
import { Password, Username } from "../auth/login-names.ts";
import { issueResetLink, replayResetLink } from "../passwords/password-reset.ts";
import { getUser, listUsers } from "./list-users.ts";
import { endUserSessions, removeUser, updateUser } from "./manage-users.ts";
import { exampleUser, FullName, User, UserChange, userParam, userQuery } from "./schemas.ts";
import { createStaff, replayStaff, unlockUser } from "./users.ts";

const NewStaff = z
  .strictObject({
    email: Email,
    username: Username.optional(),
    full_name: FullName,
    password: Password,
    role: z.enum(STAFF_ROLES),
    hospital_id: Id.optional().openapi({ description: "Required for administrators; others create at their own hospital" }),
  })
  .openapi("NewStaff");

const UserRef = z.object({ user_id: Id });
const exampleUserRef = { user_id: EXAMPLES.user };
const tags = ["Accounts"];

export const userRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/users",
      tags,
      summary: "Create a staff account",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewStaff, {
          email: "ravi@example.org",
          username: "ravi.kumar",
          full_name: "Ravi Kumar",
          password: "quiet river stones",
          role: "nurse",
          hospital_id: EXAMPLES.hospital,
        }),
      },
      responses: {
        201: jsonResponse(UserRef, "The account", { user_id: EXAMPLES.user }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      await limitSignup(c, "account");
      const create = (keyStatements: KeyStatements) => createStaff(call, input, keyStatements);
      const id = await runOnce(call, await readIdempotencyKey(c, "user.create"), input, create, (id) => replayStaff(call, id));
      return ok(c, { user_id: id }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/users/{user_id}/unlock",
      tags,
      summary: "Unlock a user",
      security: BEARER_AUTH,
      request: { params: userParam },
      responses: {
        200: jsonResponse(UserRef, "The unlocked account", { user_id: EXAMPLES.user }),
        ...problemResponses(401, 403, 404),
      },
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
      summary: "List users",
      security: BEARER_AUTH,
      request: { query: userQuery },
      responses: { 200: pageResponse(User, "Newest first", exampleUser), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listUsers(c.get("call"), c.req.valid("query"), "user:read")),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/users/{user_id}",
      tags,
      summary: "Get a user",
      security: BEARER_AUTH,
      request: { params: userParam },
      responses: { 200: jsonResponse(User, "The account", exampleUser), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const user = await getUser(c.get("call"), c.req.valid("param").user_id);
      return ok(c, user);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/users/{user_id}",
      tags,
      summary: "Update a user",
      description: "For a hospital administrator, role and is_active apply to the membership at the hospital.",
      security: BEARER_AUTH,
      request: { params: userParam, headers: ifMatchHeaders, body: jsonRequestBody(UserChange, { is_active: true }) },
      responses: {
        200: jsonResponse(User, "The updated account", exampleUser),
        ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { user_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const user = await changeIfMatch(c, (call, expected) => updateUser(call, user_id, expected, change));
      return ok(c, user);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/users/{user_id}",
      tags,
      summary: "Remove a user",
      description: "Deactivates the account; for a hospital administrator, ends the membership.",
      security: BEARER_AUTH,
      request: { params: userParam },
      responses: { 200: jsonResponse(UserRef, "The account", exampleUserRef), ...problemResponses(401, 403, 404, 409) },
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
      summary: "End a user's sessions",
      description: "For a hospital administrator, ends only the sessions that act for the hospital.",
      security: BEARER_AUTH,
      request: { params: userParam },
      responses: {
        200: jsonResponse(UserRef.extend({ ended: z.number().int() }), "Number of ended sessions", {
          ...exampleUserRef,
          ended: 2,
        }),
        ...problemResponses(401, 403, 404),
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
      summary: "Create a password reset link",
      security: BEARER_AUTH,
      request: { params: userParam, headers: idempotencyHeaders },
      responses: {
        201: jsonResponse(
          z.object({ url: z.string(), token: z.string(), expires_at: Timestamp }),
          "A single-use link, valid for 30 minutes",
          {
            url: "https://edgecare.example.org/reset#token=ecp_…",
            token: "ecp_…",
            expires_at: EXAMPLES.time,
          },
        ),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { user_id } = c.req.valid("param");
      const origin = getPublicOrigin(c.env);
      const create = (keyStatements: KeyStatements) => issueResetLink(call, user_id, origin, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "password_reset.create");
      return ok(
        c,
        await runOnce(call, idempotencyKey, { user_id }, create, (id) => replayResetLink(call, id, user_id, origin)),
        201,
      );
    },
  );
