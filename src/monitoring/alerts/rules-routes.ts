// Alarm limits: the catalogue's, a ward's, a patient's, and what other ones would have meant.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import {
  type AppEnv,
  answer,
  body,
  EXAMPLE,
  etag,
  Id,
  ifMatch,
  matchHeaders,
  newRouter,
  ok,
  problems,
  SECURED,
} from "../../http/router.ts";
import { patientParam } from "../../patients/shapes.ts";
import { AGE_BANDS } from "../vitals/model.ts";
import { changeMonitoring, getMonitoring } from "./monitoring.ts";
import {
  Default,
  Effective,
  exampleDefault,
  exampleEffective,
  exampleMonitoring,
  exampleOverride,
  examplePatientRule,
  examplePreview,
  exampleWardRule,
  LimitsChange,
  Monitoring,
  MonitoringChange,
  Preview,
  Rule,
  VitalName,
} from "./rule-shapes.ts";
import {
  defaultRules,
  effectiveRules,
  listRules,
  MAX_RULES,
  putPatientRule,
  putWardRule,
  removePatientRule,
  removeWardRule,
} from "./rules-api.ts";
import { tryRule } from "./try-rule.ts";

const tags = ["Alert rules"];
const wardParam = z.object({ ward_id: Id.openapi({ example: EXAMPLE.ward }), code: VitalName });
const ruleParam = patientParam.extend({ code: VitalName });
const Gone = z.object({ code: z.string() });
const matched = problems(401, 403, 404, 412, 413, 415, 428);

/** Needed when there is a rule already, and refused when there is none. */
const seenBy = (c: Context<AppEnv>) => (c.req.header("If-Match") === undefined ? null : ifMatch(c));

export const ruleRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/alert-rules/defaults",
      tags,
      summary: "The limits that hold until a clinic sets its own, with their sources",
      security: SECURED,
      request: { query: z.strictObject({ age_band: z.enum(AGE_BANDS).default("adult") }) },
      responses: {
        200: answer(z.array(Default), "By vital", [exampleDefault]),
        ...problems(401, 403),
      },
    }),
    async (c) => ok(c, await defaultRules(c.get("call"), c.req.valid("query").age_band)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/alert-rules",
      tags,
      summary: "What the wards of my hospital have set",
      security: SECURED,
      request: {
        query: z.strictObject({
          ward_id: Id.optional().openapi({ example: EXAMPLE.ward }),
          hospital_id: Id.optional().openapi({ example: EXAMPLE.hospital }),
        }),
      },
      responses: { 200: answer(z.array(Rule), `Ward by ward, at most ${MAX_RULES}`, [exampleWardRule]), ...problems(401, 403) },
    }),
    async (c) => ok(c, await listRules(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/wards/{ward_id}/alert-rules/{code}",
      tags,
      summary: "Set limits of a ward (needs If-Match when it has some)",
      security: SECURED,
      request: { params: wardParam, headers: matchHeaders, body: body(LimitsChange, exampleOverride) },
      responses: { 200: answer(Rule, "The rule", exampleWardRule), ...matched },
    }),
    async (c) => {
      const { ward_id, code } = c.req.valid("param");
      const rule = await putWardRule(c.get("call"), ward_id, code, seenBy(c), c.req.valid("json"));
      c.header("ETag", etag(rule.version));
      return ok(c, rule);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/wards/{ward_id}/alert-rules/{code}",
      tags,
      summary: "Take a ward's limits back (needs If-Match)",
      security: SECURED,
      request: { params: wardParam, headers: matchHeaders },
      responses: {
        200: answer(Gone.extend({ ward_id: Id }), "The rule that was", { ward_id: EXAMPLE.ward, code: "8867-4" }),
        ...problems(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { ward_id, code: vital } = c.req.valid("param");
      await removeWardRule(c.get("call"), ward_id, vital, ifMatch(c));
      return ok(c, { ward_id, code: vital.code });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/alert-rules",
      tags,
      summary: "The limits in effect for a patient, and where each comes from",
      security: SECURED,
      request: { params: patientParam },
      responses: {
        200: answer(Effective, "By vital", exampleEffective),
        ...problems(401, 403, 404),
      },
    }),
    async (c) => ok(c, await effectiveRules(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/patients/{patient_id}/alert-rules/{code}",
      tags,
      summary: "Set limits of a patient (needs If-Match when there are some)",
      security: SECURED,
      request: { params: ruleParam, headers: matchHeaders, body: body(LimitsChange, exampleOverride) },
      responses: { 200: answer(Rule, "The rule", examplePatientRule), ...matched },
    }),
    async (c) => {
      const { patient_id, code } = c.req.valid("param");
      const rule = await putPatientRule(c.get("call"), patient_id, code, seenBy(c), c.req.valid("json"));
      c.header("ETag", etag(rule.version));
      return ok(c, rule);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/alert-rules/{code}",
      tags,
      summary: "Take a patient's own limits back (needs If-Match)",
      security: SECURED,
      request: { params: ruleParam, headers: matchHeaders },
      responses: {
        200: answer(Gone.extend({ patient_id: Id }), "The rule that was", { patient_id: EXAMPLE.patient, code: "8867-4" }),
        ...problems(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { patient_id: ref, code: vital } = c.req.valid("param");
      const patient_id = await removePatientRule(c.get("call"), ref, vital, ifMatch(c));
      return ok(c, { patient_id, code: vital.code });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/alert-rules/preview",
      tags,
      summary: "Replay the last 24 hours under other limits; nothing is saved",
      security: SECURED,
      request: {
        params: patientParam,
        body: body(z.strictObject({ code: VitalName, limits: LimitsChange }), { code: "heart_rate", limits: exampleOverride }),
      },
      responses: {
        200: answer(Preview, "Alarms by value, rate and trend, before and after", examplePreview),
        ...problems(401, 403, 404, 413, 415),
      },
    }),
    async (c) => {
      const { code, limits } = c.req.valid("json");
      return ok(c, await tryRule(c.env, c.get("call"), c.req.valid("param").patient_id, code, limits));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/monitoring",
      tags,
      summary: "What the score needs to know of a patient",
      security: SECURED,
      request: { params: patientParam },
      responses: { 200: answer(Monitoring, "The settings", exampleMonitoring), ...problems(401, 403, 404) },
    }),
    async (c) => {
      const found = await getMonitoring(c.get("call"), c.req.valid("param").patient_id);
      c.header("ETag", etag(found.version));
      return ok(c, found);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/patients/{patient_id}/monitoring",
      tags,
      summary: "Change what the score needs to know (needs If-Match)",
      security: SECURED,
      request: { params: patientParam, headers: matchHeaders, body: body(MonitoringChange, { spo2_scale: 2 }) },
      responses: { 200: answer(Monitoring, "The settings", exampleMonitoring), ...matched },
    }),
    async (c) => {
      const { patient_id } = c.req.valid("param");
      const changed = await changeMonitoring(c.get("call"), patient_id, ifMatch(c), c.req.valid("json"));
      c.header("ETag", etag(changed.version));
      return ok(c, changed);
    },
  );
