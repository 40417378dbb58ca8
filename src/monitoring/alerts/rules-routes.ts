// Routes of alert rules (defaults, wards, patients, preview) and monitoring settings.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Call } from "../../access/actor.ts";
import { changeIfMatch, type ExpectedVersion } from "../../http/conditional-requests.ts";
import { pageQuery } from "../../http/pagination.ts";
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
  okPage,
  pageResponse,
  problemResponses,
} from "../../http/router.ts";
import { patientParam } from "../../patients/schemas.ts";
import { AGE_BANDS } from "../vitals/model.ts";
import { getEffectiveRules, listRules, putPatientRule, putWardRule, removePatientRule, removeWardRule } from "./alert-rules.ts";
import { listDefaultRules } from "./default-rules.ts";
import { getMonitoring, updateMonitoring } from "./monitoring.ts";
import { previewRule } from "./preview-rule.ts";
import {
  DefaultRule,
  EffectiveRules,
  exampleDefaultRule,
  exampleEffectiveRules,
  exampleMonitoring,
  exampleOverride,
  examplePatientRule,
  examplePreview,
  exampleWardRule,
  LimitsChange,
  Monitoring,
  MonitoringChange,
  MonitoringProfile,
  Preview,
  Rule,
  VitalRef,
} from "./rule-schemas.ts";

const tags = ["Alert rules"];
const wardRuleParams = z.object({ ward_id: Id.openapi({ example: EXAMPLES.ward }), code: VitalRef });
const patientRuleParams = patientParam.extend({ code: VitalRef });
const DeletedRule = z.object({ code: z.string() });
const conditionalProblems = problemResponses(401, 403, 404, 412, 413, 415, 428);

/** If-Match is required when a rule exists, and must be absent when none does. */
const putIfMatch = <T>(c: Context<AppEnv>, put: (call: Call, expected: ExpectedVersion | null) => Promise<T>): Promise<T> =>
  c.req.header("If-Match") === undefined ? put(c.get("call"), null) : changeIfMatch(c, put);

export const ruleRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/alert-rules/defaults",
      tags,
      summary: "List default alert limits",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({
          ...pageQuery,
          age_band: z.enum(AGE_BANDS).default("adult"),
          monitoring: MonitoringProfile.default("ward"),
        }),
      },
      responses: {
        200: pageResponse(DefaultRule, "Default limits of an age band by vital, with their sources", exampleDefaultRule),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listDefaultRules(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/alert-rules",
      tags,
      summary: "List alert rules of wards",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({
          ...pageQuery,
          ward_id: Id.optional().openapi({ example: EXAMPLES.ward }),
          hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }),
        }),
      },
      responses: {
        200: pageResponse(Rule, "Ordered by ward and vital", exampleWardRule),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listRules(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/wards/{ward_id}/alert-rules/{code}",
      tags,
      summary: "Set alert limits of a ward",
      security: BEARER_AUTH,
      request: { params: wardRuleParams, headers: ifMatchHeaders, body: jsonRequestBody(LimitsChange, exampleOverride) },
      responses: { 200: jsonResponse(Rule, "The rule", exampleWardRule), ...conditionalProblems },
    }),
    async (c) => {
      const { ward_id, code } = c.req.valid("param");
      const limits = c.req.valid("json");
      const rule = await putIfMatch(c, (call, expected) => putWardRule(call, ward_id, code, expected, limits));
      return ok(c, rule);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/wards/{ward_id}/alert-rules/{code}",
      tags,
      summary: "Reset alert limits of a ward",
      security: BEARER_AUTH,
      request: { params: wardRuleParams, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(DeletedRule.extend({ ward_id: Id }), "The deleted rule", { ward_id: EXAMPLES.ward, code: "8867-4" }),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { ward_id, code: vital } = c.req.valid("param");
      await changeIfMatch(c, (call, expected) => removeWardRule(call, ward_id, vital, expected));
      return ok(c, { ward_id, code: vital.code });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/alert-rules",
      tags,
      summary: "Get the alert limits in effect for a patient",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: {
        200: jsonResponse(EffectiveRules, "By vital", exampleEffectiveRules),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getEffectiveRules(c.get("call"), c.req.valid("param").patient_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/patients/{patient_id}/alert-rules/{code}",
      tags,
      summary: "Set alert limits of a patient",
      security: BEARER_AUTH,
      request: { params: patientRuleParams, headers: ifMatchHeaders, body: jsonRequestBody(LimitsChange, exampleOverride) },
      responses: { 200: jsonResponse(Rule, "The rule", examplePatientRule), ...conditionalProblems },
    }),
    async (c) => {
      const { patient_id, code } = c.req.valid("param");
      const limits = c.req.valid("json");
      const rule = await putIfMatch(c, (call, expected) => putPatientRule(call, patient_id, code, expected, limits));
      return ok(c, rule);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/patients/{patient_id}/alert-rules/{code}",
      tags,
      summary: "Reset alert limits of a patient",
      security: BEARER_AUTH,
      request: { params: patientRuleParams, headers: ifMatchHeaders },
      responses: {
        200: jsonResponse(DeletedRule.extend({ patient_id: Id }), "The deleted rule", {
          patient_id: EXAMPLES.patient,
          code: "8867-4",
        }),
        ...problemResponses(401, 403, 404, 412, 428),
      },
    }),
    async (c) => {
      const { patient_id: ref, code: vital } = c.req.valid("param");
      const patient_id = await changeIfMatch(c, (call, expected) => removePatientRule(call, ref, vital, expected));
      return ok(c, { patient_id, code: vital.code });
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/alert-rules/preview",
      tags,
      summary: "Preview alert limits against the last 24 hours",
      security: BEARER_AUTH,
      request: {
        params: patientParam,
        body: jsonRequestBody(z.strictObject({ code: VitalRef, limits: LimitsChange }), {
          code: "heart_rate",
          limits: exampleOverride,
        }),
      },
      responses: {
        200: jsonResponse(
          Preview,
          "Alarms by value, rate and trend under the current and the proposed limits; nothing is saved",
          examplePreview,
        ),
        ...problemResponses(401, 403, 404, 413, 415),
      },
    }),
    async (c) => {
      const { code, limits } = c.req.valid("json");
      return ok(c, await previewRule(c.env, c.get("call"), c.req.valid("param").patient_id, code, limits));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/monitoring",
      tags,
      summary: "Get monitoring settings of a patient",
      security: BEARER_AUTH,
      request: { params: patientParam },
      responses: { 200: jsonResponse(Monitoring, "The settings", exampleMonitoring), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const found = await getMonitoring(c.get("call"), c.req.valid("param").patient_id);
      return ok(c, found);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/patients/{patient_id}/monitoring",
      tags,
      summary: "Update monitoring settings of a patient",
      security: BEARER_AUTH,
      request: { params: patientParam, headers: ifMatchHeaders, body: jsonRequestBody(MonitoringChange, { spo2_scale: 2 }) },
      responses: { 200: jsonResponse(Monitoring, "The settings", exampleMonitoring), ...conditionalProblems },
    }),
    async (c) => {
      const { patient_id } = c.req.valid("param");
      const change = c.req.valid("json");
      const changed = await changeIfMatch(c, (call, expected) => updateMonitoring(call, patient_id, expected, change));
      return ok(c, changed);
    },
  );
