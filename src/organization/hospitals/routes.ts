// Routes of hospitals and their members.
import { createRoute, z } from "@hono/zod-openapi";
import { endMember, setMember } from "../../accounts/users/memberships.ts";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { booleanParam, pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  HAS_ETAG,
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
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { EMERGENCY_REACHES } from "../../platform/db/vocabulary.ts";
import { Email } from "../../platform/email.ts";
import { isTimeZone } from "../../platform/local-time.ts";
import { isCountry, phoneNumber } from "../../platform/phone.ts";
import { multiLine, singleLine } from "../../platform/text.ts";
import { createHospital, getHospital, listHospitals, updateHospital } from "./hospitals.ts";
import { listMembers } from "./members.ts";
import { hospitalParam } from "./schemas.ts";

const DoctorScope = z.enum(["care_team", "hospital"]);
const EmergencyReach = z.enum(EMERGENCY_REACHES).openapi({
  description: "Which records staff may open in an emergency; any_hospital needs the setting of both hospitals",
});

const Hospital = z
  .object({
    hospital_id: Id,
    name: z.string(),
    is_active: z.boolean(),
    doctor_scope: DoctorScope,
    emergency_reach: EmergencyReach,
    time_zone: z.string(),
    country: z.string().nullable().openapi({ description: "Null if it is not known" }),
    phone: z.string().nullable(),
    email: z.string().nullable(),
    address: z.string().nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Hospital");
const example = {
  hospital_id: EXAMPLES.hospital,
  name: "Demo General",
  is_active: true,
  doctor_scope: "care_team" as const,
  emergency_reach: "own_hospital" as const,
  time_zone: "Asia/Kolkata",
  country: "IN",
  phone: "+91 20 5550 0100",
  email: "desk@example.org",
  address: "1 Lake Road, Pune",
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};
const HospitalName = singleLine(200).openapi({ example: "Demo General" });
const contactFields = {
  time_zone: z.string().max(60).refine(isTimeZone, "Must be an IANA time zone").openapi({ example: "Asia/Kolkata" }),
  country: z.string().length(2).refine(isCountry, "Must be a country of ISO 3166-1, in two capital letters").nullable().openapi({
    example: "IN",
    description: "ISO 3166-1 alpha-2. Phone numbers without a country code belong to it, and search by phone depends on it",
  }),
  phone: phoneNumber.nullable().openapi({ example: "+91 20 5550 0100" }),
  email: Email.nullable(),
  address: multiLine(500).nullable().openapi({ example: "1 Lake Road, Pune" }),
};
const NewHospital = z
  .strictObject({
    name: HospitalName,
    doctor_scope: DoctorScope.default("care_team"),
    time_zone: contactFields.time_zone.default("UTC"),
    country: contactFields.country.optional(),
    phone: contactFields.phone.default(null),
    email: contactFields.email.default(null),
    address: contactFields.address.default(null),
  })
  .openapi("NewHospital");
const HospitalChange = z
  .strictObject({
    name: HospitalName.optional(),
    doctor_scope: DoctorScope.optional(),
    emergency_reach: EmergencyReach.optional(),
    time_zone: contactFields.time_zone.optional(),
    country: contactFields.country.optional(),
    phone: contactFields.phone.optional(),
    email: contactFields.email.optional(),
    address: contactFields.address.optional(),
    is_active: z.boolean().optional().openapi({ description: "Only for platform administrators" }),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("HospitalChange");
const Member = z
  .object({
    user_id: Id,
    email: z.string().optional().openapi({ description: "Only for managers" }),
    username: z.string().nullable().optional().openapi({ description: "Only for managers" }),
    full_name: z.string(),
    role: z.enum(STAFF_ROLES),
    is_active: z.boolean(),
    is_privacy_officer: z.boolean(),
    since: Timestamp,
  })
  .openapi("Member");
const exampleMember = {
  user_id: EXAMPLES.user,
  email: "asha@example.org",
  username: "asha.rao",
  full_name: "Asha Rao",
  role: "doctor" as const,
  is_active: true,
  is_privacy_officer: false,
  since: EXAMPLES.time,
};
const memberQuery = z.strictObject({ ...pageQuery, role: z.enum(STAFF_ROLES).optional(), active: booleanParam.optional() });
const memberParam = hospitalParam.extend({ user_id: Id.openapi({ example: EXAMPLES.user }) });
const MemberRef = z.object({ user_id: Id, hospital_id: Id });
const tags = ["Organization"];

export const hospitalRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/hospitals",
      tags,
      summary: "Create a hospital",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewHospital, { name: "Demo General", time_zone: "Asia/Kolkata" }),
      },
      responses: { 201: jsonResponse(Hospital, "The hospital", example), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => createHospital(call, input, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "hospital.create");
      const hospital = await runOnce(call, idempotencyKey, input, create, (id) => getHospital(call, id));
      return ok(c, hospital, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals",
      tags,
      summary: "List hospitals",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, active: booleanParam.optional() }) },
      responses: { 200: pageResponse(Hospital, "Newest first", example), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listHospitals(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}",
      tags,
      summary: "Get a hospital",
      security: BEARER_AUTH,
      request: { params: hospitalParam },
      responses: { 200: jsonResponse(Hospital, "The hospital", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const hospital = await getHospital(c.get("call"), c.req.valid("param").hospital_id);
      return ok(c, hospital);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/hospitals/{hospital_id}",
      tags,
      summary: "Update a hospital",
      description: "Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        params: hospitalParam,
        headers: ifMatchHeaders,
        body: jsonRequestBody(HospitalChange, { time_zone: "Asia/Kolkata", address: "2 Lake Road, Pune" }),
      },
      responses: { 200: jsonResponse(Hospital, "The hospital", example), ...problemResponses(401, 403, 404, 412, 413, 415, 428) },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const hospital = await changeIfMatch(c, (call, expected) => updateHospital(call, hospital_id, expected, change));
      return ok(c, hospital);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}",
      tags,
      summary: "Deactivate a hospital",
      description: "Locks out its staff, devices and apps immediately. Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: hospitalParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(Hospital, "The hospital", { ...example, is_active: false }),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      const change = { is_active: false };
      const hospital = await changeIfMatch(c, (call, expected) => updateHospital(call, hospital_id, expected, change));
      return ok(c, hospital);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/members",
      tags,
      summary: "List hospital members",
      security: BEARER_AUTH,
      request: { params: hospitalParam, query: memberQuery },
      responses: {
        200: { ...pageResponse(Member, "Ordered by user id", exampleMember), ...HAS_ETAG },
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listMembers(c.get("call"), c.req.valid("param").hospital_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/members/{user_id}",
      tags,
      summary: "Set a hospital member's role",
      security: BEARER_AUTH,
      request: { params: memberParam, body: jsonRequestBody(z.strictObject({ role: z.enum(STAFF_ROLES) }), { role: "doctor" }) },
      responses: {
        200: jsonResponse(MemberRef, "The membership", { user_id: EXAMPLES.user, hospital_id: EXAMPLES.hospital }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
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
      summary: "Remove a hospital member",
      security: BEARER_AUTH,
      request: { params: memberParam },
      responses: {
        200: jsonResponse(MemberRef, "The membership that was ended", { user_id: EXAMPLES.user, hospital_id: EXAMPLES.hospital }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { hospital_id, user_id } = c.req.valid("param");
      await endMember(c.get("call"), hospital_id, user_id);
      return ok(c, { user_id, hospital_id });
    },
  );
