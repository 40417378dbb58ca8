// Accounts of staff.
import { createRoute, z } from "@hono/zod-openapi";
import { Email, Password, Username } from "../auth/names.ts";
import { STAFF_ROLES } from "../db/schema.ts";
import { once, readClaim, type Taking } from "../idempotency.ts";
import { answer, body, EXAMPLE, Id, newRouter, ok, onceHeaders, problems, SECURED } from "../router.ts";
import { createStaff, replayStaff, unlockUser } from "./users.ts";

const NewStaff = z
  .strictObject({
    email: Email,
    username: Username.optional(),
    full_name: z.string().trim().min(1).max(200),
    password: Password,
    role: z.enum(STAFF_ROLES),
    hospital_id: Id.optional().openapi({ description: "Needed from administrators; others create at their own hospital" }),
  })
  .openapi("NewStaff");

const Created = z.object({ user_id: Id });

export const userRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/users",
      tags: ["Accounts"],
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
      const create = (taking: Taking) => createStaff(call, input, taking);
      const id = await once(call, await readClaim(c, "user.create"), input, create, (id) => replayStaff(call, id));
      return ok(c, { user_id: id }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/users/{user_id}/unlock",
      tags: ["Accounts"],
      summary: "Lift the lock that failed logins set",
      security: SECURED,
      request: { params: z.object({ user_id: Id.openapi({ example: EXAMPLE.user }) }) },
      responses: { 200: answer(Created, "The unlocked account", { user_id: EXAMPLE.user }), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const { user_id } = c.req.valid("param");
      await unlockUser(c.get("call"), user_id);
      return ok(c, { user_id });
    },
  );
