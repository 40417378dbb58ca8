// Routes of wards.
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
import { NEWS2_PROFILES, SUSTAINED_LABEL } from "../../monitoring/alarm-rules/sustained-profile.ts";
import { TREND_LABEL } from "../../monitoring/alarm-rules/trend-mark.ts";
import { GRACE_MINUTES, OBSERVATION_MODES } from "../../monitoring/vitals/freshness.ts";
import { singleLine } from "../../platform/text.ts";
import { createWard, deleteWard, getWard, listWards, MAX_COUNTED_PATIENTS, updateWard } from "./wards.ts";

/** Normalized to NFC, so that different encodings of a name are equal. */
const WardName = singleLine(120).normalize("NFC").openapi({ example: "Cardiology 2" });
const ObservationMode = z.enum(OBSERVATION_MODES).openapi({
  description:
    "How patients of the ward are watched unless their own setting says otherwise. `continuous`: values count for 30 minutes; `spot`: " +
    "a score counts until the next set is due by RCP 2017; `auto`: continuous while a bedside monitor or gateway sends, otherwise spot",
});
const GraceMinutes = z
  .int()
  .min(GRACE_MINUTES.min)
  .max(GRACE_MINUTES.max)
  .openapi({ description: "Minutes after the due time before a score of a spot patient is overdue" });
const ProfileField = z.enum(NEWS2_PROFILES).openapi({
  description:
    "When NEWS2 alerts sound. `rcp`: as the RCP's chart raises them. `sustained`, EdgeCare's own profile: 7 or more at once, 5 or more when " +
    "it is confirmed; it changes sound and push messages alone",
});
const ProfileReason = singleLine(500).openapi({ example: "Fewer repeats at night; agreed with the sister in charge" });
const OverdueAlarm = z.boolean().openapi({ description: "Whether an overdue set of observations raises a low-priority alert" });
const TrendMarkField = z.boolean().openapi({
  description:
    "Whether the board and the patient's page show EdgeCare's trend mark: NEWS2 scores smoothed over time, with fever. It is not NEWS2, " +
    "raises no alert, makes no sound and ranks nobody",
});
const Ward = z
  .object({
    ward_id: Id,
    hospital_id: Id,
    name: z.string(),
    is_active: z.boolean(),
    patient_count: z
      .number()
      .int()
      .openapi({ description: `Patients of the ward that the caller may see, at most ${MAX_COUNTED_PATIENTS}` }),
    observation_mode: ObservationMode,
    observation_grace_minutes: GraceMinutes,
    news2_profile: ProfileField,
    news2_profile_label: z.string().nullable().openapi({ description: "To be shown with the sustained profile; otherwise null" }),
    news2_profile_reason: z.string().nullable(),
    news2_profile_by: Id.nullable().openapi({ description: "The user who last chose a profile" }),
    news2_profile_at: Timestamp.nullable(),
    overdue_alarm: OverdueAlarm,
    trend_mark: TrendMarkField,
    trend_mark_label: z.string().nullable().openapi({ description: "To be shown with the mark; null where it is off" }),
    trend_mark_reason: z.string().nullable(),
    trend_mark_by: Id.nullable().openapi({ description: "The user who last switched it" }),
    trend_mark_at: Timestamp.nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Ward");
const example = {
  ward_id: EXAMPLES.ward,
  hospital_id: EXAMPLES.hospital,
  name: "Cardiology 2",
  is_active: true,
  patient_count: 12,
  observation_mode: "auto" as const,
  observation_grace_minutes: 15,
  news2_profile: "sustained" as const,
  news2_profile_label: SUSTAINED_LABEL,
  news2_profile_reason: "Fewer repeats at night; agreed with the sister in charge",
  news2_profile_by: EXAMPLES.user,
  news2_profile_at: EXAMPLES.time,
  overdue_alarm: false,
  trend_mark: true,
  trend_mark_label: TREND_LABEL,
  trend_mark_reason: "For the morning round; agreed with the consultant",
  trend_mark_by: EXAMPLES.user,
  trend_mark_at: EXAMPLES.time,
  created_at: EXAMPLES.time,
  updated_at: EXAMPLES.time,
  version: 1,
};
const NewWard = z
  .strictObject({ name: WardName, hospital_id: Id.optional().openapi({ description: "Required for platform administrators" }) })
  .openapi("NewWard");
const WardChange = z
  .strictObject({
    name: WardName.optional(),
    is_active: z.boolean().optional(),
    observation_mode: ObservationMode.optional(),
    observation_grace_minutes: GraceMinutes.optional(),
    news2_profile: ProfileField.optional(),
    news2_profile_reason: ProfileReason.optional().openapi({ description: "Required with `sustained`, refused otherwise" }),
    overdue_alarm: OverdueAlarm.optional(),
    trend_mark: TrendMarkField.optional(),
    trend_mark_reason: ProfileReason.optional().openapi({ description: "Required with `trend_mark: true`, refused otherwise" }),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .refine((change) => (change.news2_profile === "sustained") === (change.news2_profile_reason !== undefined), {
    message: "A reason is required with the sustained profile, and refused otherwise",
    path: ["news2_profile_reason"],
  })
  .refine((change) => (change.trend_mark === true) === (change.trend_mark_reason !== undefined), {
    message: "A reason is required to switch the trend mark on, and refused otherwise",
    path: ["trend_mark_reason"],
  })
  .openapi("WardChange");
const wardParam = z.object({ ward_id: Id.openapi({ example: EXAMPLES.ward }) });
const listQuery = z.strictObject({ ...pageQuery, hospital_id: Id.optional(), active: booleanParam.optional() });
const tags = ["Location"];

export const wardRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/wards",
      tags,
      summary: "Create a ward",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(NewWard, { name: "Cardiology 3" }) },
      responses: { 201: jsonResponse(Ward, "The ward", example), ...problemResponses(401, 403, 404, 409, 413, 415) },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const create = (keyStatements: KeyStatements) => createWard(call, input, keyStatements);
      const ward = await runOnce(call, await readIdempotencyKey(c, "ward.create"), input, create, (id) => getWard(call, id));
      return ok(c, ward, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards",
      tags,
      summary: "List wards",
      security: BEARER_AUTH,
      request: { query: listQuery },
      responses: { 200: { ...pageResponse(Ward, "Oldest first", example), ...HAS_ETAG }, ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listWards(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}",
      tags,
      summary: "Get a ward",
      security: BEARER_AUTH,
      request: { params: wardParam },
      responses: { 200: jsonResponse(Ward, "The ward", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const ward = await getWard(c.get("call"), c.req.valid("param").ward_id);
      return ok(c, ward);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/wards/{ward_id}",
      tags,
      summary: "Update a ward",
      description:
        "Renames, closes or reopens the ward, sets how its patients are watched, and chooses its NEWS2 profile. Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: wardParam, headers: ifMatchHeaders, body: jsonRequestBody(WardChange, { name: "Cardiology 4" }) },
      responses: { 200: jsonResponse(Ward, "The ward", example), ...problemResponses(401, 403, 404, 409, 412, 413, 415, 428) },
    }),
    async (c) => {
      const { ward_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const ward = await changeIfMatch(c, (call, expected) => updateWard(call, ward_id, expected, change));
      return ok(c, ward);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/wards/{ward_id}",
      tags,
      summary: "Delete a ward",
      description: "Only without patients; a ward with patients can be closed. Requires If-Match.",
      security: BEARER_AUTH,
      request: { params: wardParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(z.object({ ward_id: Id }), "The deleted ward", { ward_id: EXAMPLES.ward }),
        ...problemResponses(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { ward_id } = c.req.valid("param");
      await changeIfMatch(c, (call, expected) => deleteWard(call, ward_id, expected));
      return ok(c, { ward_id });
    },
  );
