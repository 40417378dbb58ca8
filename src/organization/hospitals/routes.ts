// Organization: hospitals and their members.
import { createRoute, z } from "@hono/zod-openapi";
import { Email } from "../../accounts/auth/names.ts";
import { once, readClaim, type Taking } from "../../http/idempotency.ts";
import { flag, pageQuery } from "../../http/pagination.ts";
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
import { line, phone, prose } from "../../platform/text.ts";
import { createHospital, getHospital, listHospitals, updateHospital } from "./hospitals.ts";
import { endMember, listMembers, setMember } from "./members.ts";

const DoctorScope = z.enum(["care_team", "hospital"]);

/** Intl knows every IANA name, and offsets such as +05:30, which are none. */
function isTimeZone(name: string): boolean {
  try {
    return /^[A-Z]/.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

const Hospital = z
  .object({
    hospital_id: Id,
    name: z.string(),
    is_active: z.boolean(),
    doctor_scope: DoctorScope,
    time_zone: z.string(),
    phone: z.string().nullable(),
    email: z.string().nullable(),
    address: z.string().nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Hospital");
const example = {
  hospital_id: EXAMPLE.hospital,
  name: "Demo General",
  is_active: true,
  doctor_scope: "care_team" as const,
  time_zone: "Asia/Kolkata",
  phone: "+91 20 5550 0100",
  email: "desk@example.org",
  address: "1 Lake Road, Pune",
  created_at: EXAMPLE.time,
  updated_at: EXAMPLE.time,
  version: 1,
};
const Name = line(200).openapi({ example: "Demo General" });
const contact = {
  time_zone: z.string().max(60).refine(isTimeZone, "A time zone of the IANA database").openapi({ example: "Asia/Kolkata" }),
  phone: phone.nullable().openapi({ example: "+91 20 5550 0100" }),
  email: Email.nullable(),
  address: prose(500).nullable().openapi({ example: "1 Lake Road, Pune" }),
};
const NewHospital = z
  .strictObject({
    name: Name,
    doctor_scope: DoctorScope.default("care_team"),
    time_zone: contact.time_zone.default("UTC"),
    phone: contact.phone.default(null),
    email: contact.email.default(null),
    address: contact.address.default(null),
  })
  .openapi("NewHospital");
const HospitalChange = z
  .strictObject({
    name: Name.optional(),
    doctor_scope: DoctorScope.optional(),
    time_zone: contact.time_zone.optional(),
    phone: contact.phone.optional(),
    email: contact.email.optional(),
    address: contact.address.optional(),
    is_active: z.boolean().optional().openapi({ description: "For administrators of the platform" }),
  })
  .refine((change) => Object.keys(change).length > 0, "Nothing to change")
  .openapi("HospitalChange");
const Member = z
  .object({
    user_id: Id,
    email: z.string().optional().openapi({ description: "For managers" }),
    username: z.string().nullable().optional().openapi({ description: "For managers" }),
    full_name: z.string(),
    role: z.enum(STAFF_ROLES),
    is_active: z.boolean(),
    since: Timestamp,
  })
  .openapi("Member");
const member = {
  user_id: EXAMPLE.user,
  email: "asha@example.org",
  username: "asha.rao",
  full_name: "Asha Rao",
  role: "doctor" as const,
  is_active: true,
  since: EXAMPLE.time,
};
const memberQuery = z.strictObject({ ...pageQuery, role: z.enum(STAFF_ROLES).optional(), active: flag.optional() });
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
        body: body(NewHospital, { name: "Demo General", time_zone: "Asia/Kolkata" }),
      },
      responses: { 201: answer(Hospital, "The hospital", example), ...problems(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (taking: Taking) => createHospital(call, input, taking);
      const claim = await readClaim(c, "hospital.create");
      const hospital = await once(call, claim, input, create, (id) => getHospital(call, id));
      c.header("ETag", etag(hospital.version));
      return ok(c, hospital, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals",
      tags,
      summary: "Hospitals that I may know",
      security: SECURED,
      request: { query: z.strictObject({ ...pageQuery, active: flag.optional() }) },
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
    async (c) => {
      const hospital = await getHospital(c.get("call"), c.req.valid("param").hospital_id);
      c.header("ETag", etag(hospital.version));
      return ok(c, hospital);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/hospitals/{hospital_id}",
      tags,
      summary: "Change a hospital (needs If-Match)",
      security: SECURED,
      request: {
        params: hospitalParam,
        headers: matchHeaders,
        body: body(HospitalChange, { time_zone: "Asia/Kolkata", address: "2 Lake Road, Pune" }),
      },
      responses: { 200: answer(Hospital, "The hospital", example), ...problems(401, 403, 404, 412, 413, 415, 428) },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      const hospital = await updateHospital(c.get("call"), hospital_id, ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(hospital.version));
      return ok(c, hospital);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}",
      tags,
      summary: "Deactivate a hospital: its people, devices and apps are shut out at once (needs If-Match)",
      security: SECURED,
      request: { params: hospitalParam, headers: matchHeaders },
      responses: {
        200: answer(Hospital, "The hospital", { ...example, is_active: false }),
        ...problems(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      const hospital = await updateHospital(c.get("call"), hospital_id, ifMatch(c), { is_active: false });
      c.header("ETag", etag(hospital.version));
      return ok(c, hospital);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/members",
      tags,
      summary: "Who works there: for all who do",
      security: SECURED,
      request: { params: hospitalParam, query: memberQuery },
      responses: { 200: pageAnswer(Member, "In the order of their accounts", member), ...problems(401, 403, 404) },
    }),
    async (c) => page(c, await listMembers(c.get("call"), c.req.valid("param").hospital_id, c.req.valid("query"))),
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
        ...problems(401, 403, 404, 409, 413, 415),
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
