// Routes of practitioners: profiles of doctors and nurses.
import { createRoute, z } from "@hono/zod-openapi";
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
import { singleLine } from "../../platform/text.ts";
import { detailFields } from "./details.ts";
import {
  createPractitioner,
  deletePractitioner,
  getPractitioner,
  listPractitioners,
  updatePractitioner,
} from "./practitioners.ts";

const specialty = singleLine(120).normalize("NFC").openapi({ example: "Cardiology" });
const Practitioner = z
  .object({
    practitioner_id: Id,
    user_id: Id,
    full_name: z.string(),
    role: z.string().openapi({ description: "The person's role at the hospital" }),
    hospital: z.object({ hospital_id: Id, name: z.string() }),
    specialty: z.string().nullable(),
    qualifications: z.array(z.string()),
    registration_number: z.string().nullable(),
    languages: z.array(z.string()),
    phone: z.string().nullable(),
    about: z.string().nullable(),
    is_active: z.boolean().openapi({ description: "Profile, account, membership and hospital are all active" }),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Practitioner");
const exampleDetails = {
  specialty: "Cardiology",
  qualifications: ["MBBS", "MD (Medicine)"],
  registration_number: "MMC 2011/04/1234",
  languages: ["en-IN", "mr-IN"],
  phone: "+91 20 5550 0199",
  about: "Sees patients with arrhythmia.",
};
const example = {
  practitioner_id: EXAMPLES.practitioner,
  user_id: EXAMPLES.user,
  full_name: "Asha Rao",
  role: "doctor",
  hospital: { hospital_id: EXAMPLES.hospital, name: "Demo General" },
  ...exampleDetails,
  is_active: true,
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};
const NewPractitioner = z
  .strictObject({
    user_id: Id.openapi({ example: EXAMPLES.user }),
    hospital_id: Id.optional().openapi({ description: "Required for platform administrators" }),
    specialty: specialty.nullable().default(null),
    qualifications: detailFields.qualifications.default([]),
    registration_number: detailFields.registration_number.default(null),
    languages: detailFields.languages.default([]),
    phone: detailFields.phone.default(null),
    about: detailFields.about.default(null),
  })
  .openapi("NewPractitioner");
const PractitionerChange = z
  .strictObject({
    specialty: specialty.nullable().optional(),
    qualifications: detailFields.qualifications.optional(),
    registration_number: detailFields.registration_number.optional(),
    languages: detailFields.languages.optional(),
    phone: detailFields.phone.optional(),
    about: detailFields.about.optional(),
    is_active: z.boolean().optional(),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("PractitionerChange");
const listQuery = z.strictObject({
  ...pageQuery,
  hospital_id: Id.optional(),
  specialty: specialty.optional(),
  role: z.enum(["doctor", "nurse"]).optional(),
  active: booleanParam.optional(),
});
const practitionerParam = z.object({ practitioner_id: Id.openapi({ example: EXAMPLES.practitioner }) });
const tags = ["Practitioner"];

export const practitionerRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/practitioners",
      tags,
      summary: "Create a practitioner",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(NewPractitioner, { user_id: EXAMPLES.user, ...exampleDetails }),
      },
      responses: { 201: jsonResponse(Practitioner, "The profile", example), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => createPractitioner(call, input, keyStatements);
      const idempotencyKey = await readIdempotencyKey(c, "practitioner.create");
      const practitioner = await runOnce(call, idempotencyKey, input, create, (id) => getPractitioner(call, id));
      return ok(c, practitioner, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/practitioners",
      tags,
      summary: "List practitioners",
      security: BEARER_AUTH,
      request: { query: listQuery },
      responses: { 200: { ...pageResponse(Practitioner, "Newest first", example), ...HAS_ETAG }, ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listPractitioners(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/practitioners/{practitioner_id}",
      tags,
      summary: "Get a practitioner",
      security: BEARER_AUTH,
      request: { params: practitionerParam },
      responses: { 200: jsonResponse(Practitioner, "The profile", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const practitioner = await getPractitioner(c.get("call"), c.req.valid("param").practitioner_id);
      return ok(c, practitioner);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/practitioners/{practitioner_id}",
      tags,
      summary: "Update a practitioner",
      description: "Doctors and nurses may change phone, languages and about of their own profile. Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        params: practitionerParam,
        headers: ifMatchHeaders,
        body: jsonRequestBody(PractitionerChange, { languages: ["en-IN", "hi-IN"], about: null }),
      },
      responses: {
        200: jsonResponse(Practitioner, "The profile", example),
        ...problemResponses(401, 403, 404, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { practitioner_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const practitioner = await changeIfMatch(c, (call, expected) =>
        updatePractitioner(call, practitioner_id, expected, change),
      );
      return ok(c, practitioner);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/practitioners/{practitioner_id}",
      tags,
      summary: "Delete a practitioner",
      description: "Deletes the profile; the account stays. Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: practitionerParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(z.object({ practitioner_id: Id }), "The deleted profile", { practitioner_id: EXAMPLES.practitioner }),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { practitioner_id } = c.req.valid("param");
      await changeIfMatch(c, (call, expected) => deletePractitioner(call, practitioner_id, expected));
      return ok(c, { practitioner_id });
    },
  );
