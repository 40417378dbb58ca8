// Routes of a hospital's rules of appointments.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { changeIfMatch, type ExpectedVersion } from "../../http/conditional-requests.ts";
import {
  type AppEnv,
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
} from "../../http/router.ts";
import { SELF_BOOKING } from "../../platform/db/vocabulary.ts";
import { CARE_DEFAULTS, getCareSettings, putCareSettings } from "./care-settings.ts";

const tags = ["Appointment"];
const params = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });
const fields = {
  self_booking: z.enum(SELF_BOOKING).openapi({ description: "Whether patients book: not at all, as a request, or at once" }),
  lead_minutes: z.int().min(0).max(43_200).openapi({ description: "Patients book at least this long before the start" }),
  window_days: z.int().min(1).max(366).openapi({ description: "and at most this far ahead" }),
  cancel_until_minutes: z
    .int()
    .min(0)
    .max(43_200)
    .openapi({ description: "Patients cancel and move until this long before the start" }),
  max_open_own: z.int().min(1).max(50).openapi({ description: "Appointments ahead that patients booked, per record" }),
  proposal_minutes: z.int().min(15).max(20_160).openapi({ description: "How long a request holds its time" }),
  offer_minutes: z.int().min(5).max(1_440).openapi({ description: "How long an offer of the waiting list holds its time" }),
  noshow_after_minutes: z
    .int()
    .min(0)
    .max(1_440)
    .nullable()
    .openapi({ description: "After the end, a booked appointment becomes a no-show; null: never by itself" }),
};
const NewSettings = z.strictObject(fields).openapi("CareSettingsChange");
const Settings = z
  .object({ hospital_id: Id, ...fields, version: z.int().openapi({ description: "0 while the hospital has set none" }) })
  .openapi("CareSettings");

const putIfMatch = <T>(c: Context<AppEnv>, put: (call: Call, expected: ExpectedVersion | null) => Promise<T>): Promise<T> =>
  c.req.header("If-Match") === undefined ? put(c.get("call"), null) : changeIfMatch(c, put);

export const careSettingsRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/care-settings",
      tags,
      summary: "Get the rules of appointments",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(Settings, "The rules", { hospital_id: EXAMPLES.hospital, ...CARE_DEFAULTS, version: 1 }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getCareSettings(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/care-settings",
      tags,
      summary: "Replace the rules of appointments",
      description: "If-Match is required when rules exist, and must be absent when none do.",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(NewSettings, { ...CARE_DEFAULTS, self_booking: "direct" as const }),
      },
      responses: {
        200: jsonResponse(Settings, "The rules", {
          ...{ hospital_id: EXAMPLES.hospital, ...CARE_DEFAULTS },
          self_booking: "direct" as const,
          version: 1,
        }),
        ...problemResponses(401, 403, 404, 412, 413, 415, 428),
      },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      const input = c.req.valid("json");
      return ok(c, await putIfMatch(c, (call, expected) => putCareSettings(call, hospital_id, expected, input)));
    },
  );
