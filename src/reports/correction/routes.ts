// Routes: correct a report, move it to the right patient, its history, and the marks that moved reports leave.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { MeasuredAtInput } from "../../http/measured-at.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  PatientRef,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { REPORT_CHANGES, REPORT_STATUSES } from "../../platform/db/vocabulary.ts";
import { exampleReport, Kind, Report } from "../reading/schemas.ts";
import { listChanges, listMovedReports } from "./changes.ts";
import { correctReport, moveReport } from "./correct-report.ts";

const tags = ["DiagnosticReport"];
const params = z.object({ report_id: Id.openapi({ example: EXAMPLES.report }) });
const Reason = z.string().trim().min(1).max(500).openapi({ description: "Kept in the history" });

const Correction = z
  .strictObject({
    recorded_at: MeasuredAtInput.optional(),
    kind: Kind.optional(),
    comment: z.string().trim().min(1).max(2000).nullable().optional(),
    status: z
      .enum(["preliminary", "entered-in-error"])
      .optional()
      .openapi({ description: "entered-in-error: leaves lists and totals, and stays readable; preliminary takes it back" }),
    reason: Reason,
  })
  .refine((change) => Object.keys(change).length > 1, { message: "Name a field to correct", path: ["reason"] })
  .openapi("ReportCorrection");

const Fields = z
  .object({ effective_at: Timestamp, kind: Kind, status: z.enum(REPORT_STATUSES), comment: z.string().nullable() })
  .partial();
const ReportChange = z
  .object({
    change_id: Id,
    what: z.enum(REPORT_CHANGES),
    version: z.number().int().openapi({ description: "Of the report after the change" }),
    changed_by: z.string(),
    changed_at: Timestamp,
    reason: z.string(),
    from_patient_id: Id.nullable().openapi({ description: "Of a move: whose record it left. Null for members of a care team" }),
    before: Fields,
    after: Fields,
  })
  .openapi("ReportChange");
const exampleChange = {
  change_id: EXAMPLES.request,
  what: "corrected" as const,
  version: 2,
  changed_by: EXAMPLES.user,
  changed_at: EXAMPLES.time,
  reason: "The machine's clock was a day behind",
  from_patient_id: null,
  before: { effective_at: "2026-11-20T09:30:00.000Z" },
  after: { effective_at: EXAMPLES.time },
};

export const correctionRoutes = createRouter()
  .openapi(
    createRoute({
      method: "patch",
      path: "/reports/{report_id}",
      tags,
      summary: "Correct a report",
      description: "Time, kind, comment or status. The former values stay in the history. Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(Correction, { recorded_at: EXAMPLES.time, reason: exampleChange.reason }),
      },
      responses: {
        200: jsonResponse(Report, "The report", exampleReport),
        ...problemResponses(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { report_id } = c.req.valid("param");
      const correction = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => correctReport(call, report_id, expected, correction)));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/reports/{report_id}/move",
      tags,
      summary: "Move a report to the right patient",
      description:
        "To a patient of the same hospital. Links signed before no longer work. The record that it leaves keeps a mark without content. " +
        "Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(z.strictObject({ patient_id: PatientRef, reason: Reason }), {
          patient_id: EXAMPLES.patient,
          reason: "Two patients of one name",
        }),
      },
      responses: {
        200: jsonResponse(Report, "The report", exampleReport),
        ...problemResponses(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { report_id } = c.req.valid("param");
      const move = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => moveReport(call, report_id, expected, move)));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/reports/{report_id}/changes",
      tags,
      summary: "List changes of a report",
      security: BEARER_AUTH,
      request: { params, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(ReportChange, "Newest first", exampleChange), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listChanges(c.get("call"), c.req.valid("param").report_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/moved-reports",
      tags,
      summary: "List marks of moved reports",
      description: "One per report that was moved from this patient's record to another. They name no content.",
      security: BEARER_AUTH,
      request: { params: z.object({ patient_id: PatientRef }), query: z.strictObject(pageQuery) },
      responses: {
        200: pageResponse(z.object({ mark_id: Id, moved_at: Timestamp }), "Newest first", {
          mark_id: EXAMPLES.request,
          moved_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => okPage(c, await listMovedReports(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  );
