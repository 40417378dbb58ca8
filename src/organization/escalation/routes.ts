// Routes of escalation settings and of the staff who hear of a ward's alarms.
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
import {
  Escalation,
  EscalationChange,
  exampleEscalation,
  exampleEscalationChange,
  exampleInherited,
  exampleWardStaff,
  WardStaff,
  WardStaffChange,
} from "./schemas.ts";
import { getEscalation, putEscalation, removeEscalation } from "./settings.ts";
import { getWardStaff, putWardStaff } from "./ward-staff.ts";

const tags = ["Escalation"];
const hospitalParam = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });
const wardParam = z.object({ ward_id: Id.openapi({ example: EXAMPLES.ward }) });
const exampleOfHospital = {
  ...exampleEscalation,
  ward_id: null,
  from: { ...exampleEscalation.from, escalation_minutes: "hospital" as const },
};
const changeProblems = problemResponses(401, 403, 404, 412, 413, 415, 428);
const DESCRIPTION =
  "Open alerts follow a change within five seconds: their minutes count from when they were raised, and a time that has passed by then " +
  "is due at once.";

/** If-Match is required when settings exist, and must be absent when none do. */
const putIfMatch = <T>(c: Context<AppEnv>, put: (call: Call, expected: ExpectedVersion | null) => Promise<T>): Promise<T> =>
  c.req.header("If-Match") === undefined ? put(c.get("call"), null) : changeIfMatch(c, put);

export const escalationRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/escalation",
      tags,
      summary: "Get the escalation settings of a hospital",
      security: BEARER_AUTH,
      request: { params: hospitalParam },
      responses: {
        200: jsonResponse(Escalation, "The settings in force", exampleOfHospital),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getEscalation(c.get("call"), { kind: "hospital", id: c.req.valid("param").hospital_id })),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/escalation",
      tags,
      summary: "Set the escalation settings of a hospital",
      description: DESCRIPTION,
      security: BEARER_AUTH,
      request: {
        params: hospitalParam,
        headers: ifMatchHeaders,
        body: jsonRequestBody(EscalationChange, exampleEscalationChange),
      },
      responses: { 200: jsonResponse(Escalation, "The settings in force", exampleOfHospital), ...changeProblems },
    }),
    async (c) => {
      const scope = { kind: "hospital", id: c.req.valid("param").hospital_id } as const;
      const change = c.req.valid("json");
      return ok(c, await putIfMatch(c, (call, expected) => putEscalation(call, scope, expected, change)));
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}/escalation",
      tags,
      summary: "Reset the escalation settings of a hospital",
      description: `The default applies again. ${DESCRIPTION}`,
      security: BEARER_AUTH,
      request: { params: hospitalParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(Escalation, "The settings in force", { ...exampleInherited, ward_id: null }),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const scope = { kind: "hospital", id: c.req.valid("param").hospital_id } as const;
      return ok(c, await changeIfMatch(c, (call, expected) => removeEscalation(call, scope, expected)));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}/escalation",
      tags,
      summary: "Get the escalation settings of a ward",
      security: BEARER_AUTH,
      request: { params: wardParam },
      responses: {
        200: jsonResponse(Escalation, "The settings in force", exampleEscalation),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getEscalation(c.get("call"), { kind: "ward", id: c.req.valid("param").ward_id })),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/wards/{ward_id}/escalation",
      tags,
      summary: "Set the escalation settings of a ward",
      description: DESCRIPTION,
      security: BEARER_AUTH,
      request: { params: wardParam, headers: ifMatchHeaders, body: jsonRequestBody(EscalationChange, exampleEscalationChange) },
      responses: { 200: jsonResponse(Escalation, "The settings in force", exampleEscalation), ...changeProblems },
    }),
    async (c) => {
      const scope = { kind: "ward", id: c.req.valid("param").ward_id } as const;
      const change = c.req.valid("json");
      return ok(c, await putIfMatch(c, (call, expected) => putEscalation(call, scope, expected, change)));
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/wards/{ward_id}/escalation",
      tags,
      summary: "Reset the escalation settings of a ward",
      description: `Those of the hospital apply again. ${DESCRIPTION}`,
      security: BEARER_AUTH,
      request: { params: wardParam, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(Escalation, "The settings in force", exampleInherited),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const scope = { kind: "ward", id: c.req.valid("param").ward_id } as const;
      return ok(c, await changeIfMatch(c, (call, expected) => removeEscalation(call, scope, expected)));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/wards/{ward_id}/staff",
      tags,
      summary: "List the staff who hear of a ward's alarms",
      security: BEARER_AUTH,
      request: { params: wardParam },
      responses: { 200: jsonResponse(WardStaff, "The staff", exampleWardStaff), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getWardStaff(c.get("call"), c.req.valid("param").ward_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/wards/{ward_id}/staff",
      tags,
      summary: "Set the staff who hear of a ward's alarms",
      description: "Replaces the list. Requires If-Match with the version of the ward, which becomes the next one.",
      security: BEARER_AUTH,
      request: {
        params: wardParam,
        headers: ifMatchHeaders,
        body: jsonRequestBody(WardStaffChange, { user_ids: [EXAMPLES.user] }),
      },
      responses: { 200: jsonResponse(WardStaff, "The staff", exampleWardStaff), ...changeProblems },
    }),
    async (c) => {
      const { ward_id } = c.req.valid("param");
      const { user_ids } = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => putWardStaff(call, ward_id, expected, user_ids)));
    },
  );
