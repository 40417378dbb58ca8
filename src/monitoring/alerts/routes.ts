// DetectedIssue: alerts, and what staff do to them.
import { createRoute, z } from "@hono/zod-openapi";
import { once, readClaim, type Taking } from "../../http/idempotency.ts";
import { flag, pageQuery } from "../../http/pagination.ts";
import { answer, body, EXAMPLE, Id, newRouter, ok, onceHeaders, page, pageAnswer, problems, SECURED } from "../../http/router.ts";
import { prose } from "../../platform/text.ts";
import { LONGEST_SNOOZE_MS } from "../alarm-rules/lifecycle.ts";
import { ALERT_STATES, PRIORITIES, RULES } from "../alarm-rules/model.ts";
import { actOn, comment, getAlert } from "./alerts.ts";
import { listAlerts } from "./list.ts";
import { Alert, AlertId, AlertPage, Code, exampleAlert, exampleAlertPage } from "./shapes.ts";

const time = z.iso.datetime({ offset: true }).optional();
const listQuery = z.strictObject({
  ...pageQuery,
  sort: z.enum(["raised", "-raised"]).default("-raised"),
  state: z.enum(ALERT_STATES).optional(),
  priority: z.enum(PRIORITIES).optional(),
  rule: z.enum(RULES).optional(),
  code: Code.optional(),
  patient_id: Id.optional(),
  hospital_id: Id.optional().openapi({ example: EXAMPLE.hospital }),
  ward_id: Id.optional().openapi({
    description: "Where the patient lay when it was raised or last changed",
    example: EXAMPLE.ward,
  }),
  device_id: Id.optional().openapi({ description: "Alerts about this device", example: EXAMPLE.device }),
  assigned_to: Id.optional().openapi({ example: EXAMPLE.user }),
  from: time.openapi({ description: "Raised at or after" }),
  to: time.openapi({ description: "Raised before" }),
  open: flag.optional().openapi({ description: "Those that are not cleared" }),
});
const alertParam = z.object({ alert_id: AlertId });
const tags = ["DetectedIssue"];
const changed = { 200: answer(AlertPage, "The alert after it", exampleAlertPage), ...problems(401, 403, 404, 409, 413, 415) };
const LONGEST_SNOOZE = LONGEST_SNOOZE_MS / 60_000;

export const alertRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/alerts",
      tags,
      summary: "Alerts of my patients",
      security: SECURED,
      request: { query: listQuery },
      responses: { 200: pageAnswer(Alert, "Newest first", exampleAlert), ...problems(401, 403) },
    }),
    async (c) => page(c, await listAlerts(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/alerts/{alert_id}",
      tags,
      summary: "One alert, what became of it and what was said",
      security: SECURED,
      request: { params: alertParam },
      responses: { 200: answer(AlertPage, "The alert", exampleAlertPage), ...problems(401, 403, 404) },
    }),
    async (c) => ok(c, await getAlert(c.env, c.get("call"), c.req.valid("param").alert_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/acknowledge",
      tags,
      summary: "I have seen it; the first to say so stands",
      security: SECURED,
      request: { params: alertParam },
      responses: changed,
    }),
    async (c) => ok(c, await actOn(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "acknowledge" })),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/assign",
      tags,
      summary: "Give it to somebody of the hospital's staff, or to nobody",
      security: SECURED,
      request: {
        params: alertParam,
        body: body(z.strictObject({ user_id: Id.nullable() }), { user_id: EXAMPLE.user }),
      },
      responses: changed,
    }),
    async (c) => {
      const { user_id: to } = c.req.valid("json");
      return ok(c, await actOn(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "assign", to }));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/comment",
      tags,
      summary: "Say something of it, also when it is over",
      security: SECURED,
      request: {
        params: alertParam,
        headers: onceHeaders,
        body: body(z.strictObject({ text: prose(2_000).trim().min(1) }), { text: "Probe had slipped; placed again." }),
      },
      responses: changed,
    }),
    async (c) => {
      const call = c.get("call");
      const { alert_id } = c.req.valid("param");
      const { text } = c.req.valid("json");
      const claim = await readClaim(c, `alert.comment ${alert_id}`);
      const say = (taking: Taking) => comment(c.env, call, alert_id, text, taking);
      return ok(c, await once(call, claim, { text }, say, (id) => getAlert(c.env, call, id)));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/snooze",
      tags,
      summary: "No repeats and no escalation for a while",
      security: SECURED,
      request: {
        params: alertParam,
        body: body(z.strictObject({ minutes: z.number().int().min(1).max(LONGEST_SNOOZE) }), { minutes: 15 }),
      },
      responses: changed,
    }),
    async (c) => {
      const { minutes } = c.req.valid("json");
      return ok(c, await actOn(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "snooze", minutes }));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/alerts/{alert_id}/resolve",
      tags,
      summary: "End it by hand; only new evidence raises it again",
      security: SECURED,
      request: { params: alertParam },
      responses: changed,
    }),
    async (c) => ok(c, await actOn(c.env, c.get("call"), c.req.valid("param").alert_id, { kind: "resolve" })),
  );
