// DetectedIssue: alerts, and what staff do to them.
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
} from "../../http/router.ts";
import { multiLine } from "../../platform/text.ts";
import { MAX_SNOOZE_MS } from "../alarm-rules/alert-lifecycle.ts";
import { ALERT_STATES, PRIORITIES, RULE_NAMES } from "../alarm-rules/model.ts";
import { actOnAlert, comment, getAlert } from "./alerts.ts";
import { listAlerts } from "./list.ts";
import { Alert, AlertId, AlertPage, Code, exampleAlert, exampleAlertPage } from "./schemas.ts";

const timeParam = z.iso.datetime({ offset: true }).optional();
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
    description: "Where the patient lay when it was raised or last changed",
    example: EXAMPLES.ward,
  }),
  device_id: Id.optional().openapi({ description: "Alerts about this device", example: EXAMPLES.device }),
  assigned_to: Id.optional().openapi({ example: EXAMPLES.user }),
  from: timeParam.openapi({ description: "Raised at or after" }),
  to: timeParam.openapi({ description: "Raised before" }),
  open: booleanParam.optional().openapi({ description: "Those that are not cleared" }),
});
const alertParams = z.object({ alert_id: AlertId });
const tags = ["DetectedIssue"];
const actionResponses = {
  200: jsonResponse(AlertPage, "The alert after it", exampleAlertPage),
  ...problemResponses(401, 403, 404, 409, 413, 415),
};
const MAX_SNOOZE_MINUTES = MAX_SNOOZE_MS / 60_000;

export const alertRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/alerts",
      tags,
      summary: "Alerts of my patients",
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
      summary: "One alert, what became of it and what was said",
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
      summary: "I have seen it; the first to say so stands",
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
      summary: "Give it to somebody of the hospital's staff, or to nobody",
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
      summary: "Say something of it, also when it is over",
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
      const addComment = (keyStatements: KeyStatements) => comment(c.env, call, alert_id, text, keyStatements);
      return ok(c, await runOnce(call, idempotencyKey, { text }, addComment, (id) => getAlert(c.env, call, id)));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/snooze",
      tags,
      summary: "No repeats and no escalation for a while",
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
      summary: "End it by hand; only new evidence raises it again",
      security: BEARER_AUTH,
      request: { params: alertParams },
      responses: actionResponses,
    }),
    async (c) => ok(c, await actOnAlert(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "resolve" })),
  );
