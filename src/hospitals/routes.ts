// Organization: hospitals and their members.
import { createRoute, z } from "@hono/zod-openapi";
import { STAFF_ROLES } from "../db/schema.ts";
import { once, readClaim, type Taking } from "../idempotency.ts";
import { pageQuery } from "../pagination.ts";
import {
  answer,
  body,
  EXAMPLE,
  Id,
  newRouter,
  ok,
  onceHeaders,
  page,
  pageAnswer,
  problems,
  SECURED,
  Timestamp,
} from "../router.ts";
import { createHospital, endMember, getHospital, listHospitals, listMembers, setMember } from "./hospitals.ts";

const Hospital = z
  .object({
    hospital_id: Id,
    name: z.string(),
    is_active: z.boolean(),
    doctor_scope: z.enum(["care_team", "hospital"]),
    created_at: Timestamp,
  })
  .openapi("Hospital");
const example = {
  hospital_id: EXAMPLE.hospital,
  name: "Demo General",
  is_active: true,
  doctor_scope: "care_team" as const,
  created_at: EXAMPLE.time,
};
const Member = z
  .object({
    user_id: Id,
    email: z.string(),
    username: z.string().nullable(),
    full_name: z.string(),
    role: z.enum(STAFF_ROLES),
    is_active: z.boolean(),
    since: Timestamp,
  })
  .openapi("Member");
const hospitalParam = z.object({ hospital_id: Id.openapi({ example: EXAMPLE.hospital }) });
const memberParam = hospitalParam.extend({ user_id: Id.openapi({ example: EXAMPLE.user }) });
const MemberRef = z.object({ user_id: Id, hospital_id: Id });
const tags = ["Organization"];

export const hospitalRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/hospitals",
      tags,
      summary: "Create a hospital",
      security: SECURED,
      request: {
        headers: onceHeaders,
        body: body(
          z.strictObject({
            name: z.string().trim().min(1).max(200),
            doctor_scope: z.enum(["care_team", "hospital"]).default("care_team"),
          }),
          { name: "Demo General" },
        ),
      },
      responses: { 201: answer(Hospital, "The hospital", example), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (taking: Taking) => createHospital(call, input, taking);
      const claim = await readClaim(c, "hospital.create");
      return ok(c, await once(call, claim, input, create, (id) => getHospital(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals",
      tags,
      summary: "Hospitals that I may know",
      security: SECURED,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageAnswer(Hospital, "Newest first", example), ...problems(401, 403) },
    }),
    async (c) => page(c, await listHospitals(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}",
      tags,
      summary: "One hospital",
      security: SECURED,
      request: { params: hospitalParam },
      responses: { 200: answer(Hospital, "The hospital", example), ...problems(401, 403, 404) },
    }),
    async (c) => ok(c, await getHospital(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/members",
      tags,
      summary: "Who works there",
      security: SECURED,
      request: { params: hospitalParam },
      responses: {
        200: answer(z.array(Member), "Members", [
          {
            user_id: EXAMPLE.user,
            email: "asha@example.org",
            username: "asha.rao",
            full_name: "Asha Rao",
            role: "doctor",
            is_active: true,
            since: EXAMPLE.time,
          },
        ]),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await listMembers(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/members/{user_id}",
      tags,
      summary: "Give an account a role there",
      security: SECURED,
      request: { params: memberParam, body: body(z.strictObject({ role: z.enum(STAFF_ROLES) }), { role: "doctor" }) },
      responses: {
        200: answer(MemberRef, "The membership", { user_id: EXAMPLE.user, hospital_id: EXAMPLE.hospital }),
        ...problems(401, 403, 404, 413, 415),
      },
    }),
    async (c) => {
      const { hospital_id, user_id } = c.req.valid("param");
      await setMember(c.get("call"), hospital_id, user_id, c.req.valid("json").role);
      return ok(c, { user_id, hospital_id });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}/members/{user_id}",
      tags,
      summary: "End a membership",
      security: SECURED,
      request: { params: memberParam },
      responses: {
        200: answer(MemberRef, "The membership that ended", { user_id: EXAMPLE.user, hospital_id: EXAMPLE.hospital }),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => {
      const { hospital_id, user_id } = c.req.valid("param");
      await endMember(c.get("call"), hospital_id, user_id);
      return ok(c, { user_id, hospital_id });
    },
  );
