// Routes of alerts (FHIR DetectedIssue) and the actions on them.
import { createRoute, z } from "@hono/zod-openapi";
import { type KeyStatements, readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { booleanParam, pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  TimeInput,
} from "../../http/router.ts";
import { multiLine } from "../../platform/text.ts";
import { MAX_SNOOZE_MS } from "../alarm-rules/alert-lifecycle.ts";
import { ALERT_STATES, PRIORITIES, RULE_NAMES } from "../alarm-rules/model.ts";
import { actOnAlert, commentOnAlert, getAlert } from "./alerts.ts";
import { listAlerts } from "./list.ts";
import { Alert, AlertId, AlertPage, Code, exampleAlert, exampleAlertPage } from "./schemas.ts";

const timeParam = TimeInput.optional();
const listQuery = z.strictObject({
  ...pageQuery,
  sort: z.enum(["raised", "-raised"]).default("-raised"),
  state: z.enum(ALERT_STATES).optional(),
  priority: z.enum(PRIORITIES).optional(),
  rule: z.enum(RULE_NAMES).optional(),
  code: Code.optional(),
  patient_id: Id.optional(),
  hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }),
  ward_id: Id.optional().openapi({
    description: "Ward of the patient when the alert was raised or last changed",
    example: EXAMPLES.ward,
  }),
  device_id: Id.optional().openapi({ description: "Alerts about this device", example: EXAMPLES.device }),
  assigned_to: Id.optional().openapi({ example: EXAMPLES.user }),
  from: timeParam.openapi({ description: "Raised at or after" }),
  to: timeParam.openapi({ description: "Raised before" }),
  open: booleanParam.optional().openapi({ description: "true: only alerts that are not cleared; false: only cleared ones" }),
});
const alertParams = z.object({ alert_id: AlertId });
const tags = ["DetectedIssue"];
const actionResponses = {
  200: jsonResponse(AlertPage, "The alert after the action", exampleAlertPage),
  ...problemResponses(401, 403, 404, 409, 413, 415),
};
const MAX_SNOOZE_MINUTES = MAX_SNOOZE_MS / 60_000;

export const alertRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/alerts",
      tags,
      summary: "List alerts",
      security: BEARER_AUTH,
      request: { query: listQuery },
      responses: { 200: pageResponse(Alert, "Newest first", exampleAlert), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listAlerts(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/alerts/{alert_id}",
      tags,
      summary: "Get an alert with its events and comments",
      security: BEARER_AUTH,
      request: { params: alertParams },
      responses: { 200: jsonResponse(AlertPage, "The alert", exampleAlertPage), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getAlert(c.env, c.get("call"), c.req.valid("param").alert_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/acknowledge",
      tags,
      summary: "Acknowledge an alert",
      description: "Only the first acknowledgement counts.",
      security: BEARER_AUTH,
      request: { params: alertParams },
      responses: actionResponses,
    }),
    async (c) => ok(c, await actOnAlert(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "acknowledge" })),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/assign",
      tags,
      summary: "Assign an alert to a member of staff",
      description: "`user_id: null` removes the assignment.",
      security: BEARER_AUTH,
      request: {
        params: alertParams,
        body: jsonRequestBody(z.strictObject({ user_id: Id.nullable() }), { user_id: EXAMPLES.user }),
      },
      responses: actionResponses,
    }),
    async (c) => {
      const { user_id: to } = c.req.valid("json");
      return ok(c, await actOnAlert(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "assign", to }));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/comment",
      tags,
      summary: "Comment on an alert",
      description: "Cleared alerts can be commented on too.",
      security: BEARER_AUTH,
      request: {
        params: alertParams,
        headers: idempotencyHeaders,
        body: jsonRequestBody(z.strictObject({ text: multiLine(2_000).trim().min(1) }), {
          text: "Probe had slipped; placed again.",
        }),
      },
      responses: actionResponses,
    }),
    async (c) => {
      const call = c.get("call");
      const { alert_id } = c.req.valid("param");
      const { text } = c.req.valid("json");
      const idempotencyKey = await readIdempotencyKey(c, `alert.comment ${alert_id}`);
      const addComment = (keyStatements: KeyStatements) => commentOnAlert(c.env, call, alert_id, text, keyStatements);
      return ok(c, await runOnce(call, idempotencyKey, { text }, addComment, (id) => getAlert(c.env, call, id)));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/snooze",
      tags,
      summary: "Snooze an alert",
      description: "No repeats and no escalation until the snooze ends.",
      security: BEARER_AUTH,
      request: {
        params: alertParams,
        body: jsonRequestBody(z.strictObject({ minutes: z.number().int().min(1).max(MAX_SNOOZE_MINUTES) }), { minutes: 15 }),
      },
      responses: actionResponses,
    }),
    async (c) => {
      const { minutes } = c.req.valid("json");
      return ok(c, await actOnAlert(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "snooze", minutes }));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/resolve",
      tags,
      summary: "Resolve an alert",
      description: "Clears the alert; only new evidence raises it again.",
      security: BEARER_AUTH,
      request: { params: alertParams },
      responses: actionResponses,
    }),
    async (c) => ok(c, await actOnAlert(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "resolve" })),
  );
