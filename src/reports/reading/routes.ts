// Routes of reports: list, statistics, detail, file.
import { createRoute, z } from "@hono/zod-openapi";
import { readRangeRequest } from "../../http/file-response.ts";
import { linkQuery, rangeHeaders } from "../../http/link-authentication.ts";
import { integerParam } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  BEARER_OR_LINK_AUTH,
  createRouter,
  EXAMPLES,
  HAS_ETAG,
  Id,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
} from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { MAX_STATS_DAYS } from "../upload/new-report.ts";
import { downloadReport } from "./download.ts";
import { listReports } from "./list.ts";
import { getReport } from "./report.ts";
import { DetailedReport, exampleLinkedReport, exampleQtc, exampleReport, Report, reportQuery, SentReport } from "./schemas.ts";
import { getReportStats } from "./stats.ts";

const tags = ["DiagnosticReport"];

const reportParams = z.object({ report_id: Id.openapi({ example: EXAMPLES.report }) });
function listRoute<P extends string, Q extends z.ZodObject>(path: P, query: Q) {
  return createRoute({
    method: "get",
    path,
    tags,
    summary: "List reports",
    security: BEARER_AUTH,
    request: { query },
    responses: {
      200: { ...pageResponse(Report, "Newest first by default", exampleReport), ...HAS_ETAG },
      ...problemResponses(401, 403),
    },
  });
}

function detailRoute<P extends string>(path: P) {
  return createRoute({
    method: "get",
    path,
    tags,
    summary: "Get a report",
    description:
      "Includes metrics and a signed download link that is valid for 5 minutes. A device reads only the reports that it sent, without the patient.",
    security: BEARER_AUTH,
    request: { params: reportParams },
    responses: {
      200: jsonResponse(z.union([DetailedReport, SentReport]), "The report", {
        ...exampleLinkedReport,
        metrics: { heart_rate: 72, pr_interval_ms: 158, qrs_duration_ms: 96, qt_interval_ms: 388, p_axis_deg: "--" },
        metrics_text: null,
        metric_flags: [{ name: "p_axis_deg", code: "not_measured" as const }],
        metric_flags_omitted: 0,
        computed_qtc: exampleQtc,
      }),
      ...problemResponses(401, 403, 404),
    },
  });
}

const Stats = z
  .object({
    total: z.number().int(),
    by_status: z.record(z.string(), z.number().int()),
    by_kind: z.record(z.string(), z.number().int()),
    recent_7_days: z.number().int().openapi({ description: "Today and the six days before (UTC)" }),
    average_confidence: z.number().nullable(),
  })
  .openapi("ReportStats");
const exampleStats = {
  total: 25,
  by_status: { preliminary: 25 },
  by_kind: { ecg: 25 },
  recent_7_days: 25,
  average_confidence: 0.93,
};

const statsResponse = jsonResponse(
  Stats.extend({
    by_day: z
      .array(z.object({ day: z.iso.date(), n: z.number().int() }))
      .openapi({ description: "One entry per requested day, oldest first (UTC)" }),
  }),
  "Totals",
  { ...exampleStats, by_day: [{ day: "2026-11-21", n: 25 }] },
);

const fileRoute = createRoute({
  method: "get",
  path: "/reports/{report_id}/file",
  tags,
  summary: "Download a report's PDF",
  description: "With an access token or a signed link. Supports Range and If-Range with the file's ETag.",
  security: BEARER_OR_LINK_AUTH,
  request: {
    params: reportParams,
    query: linkQuery,
    headers: rangeHeaders,
  },
  responses: {
    200: { description: "The file", content: { "application/pdf": { schema: z.string().openapi({ format: "binary" }) } } },
    206: {
      description: "The requested byte range",
      content: { "application/pdf": { schema: z.string().openapi({ format: "binary" }) } },
    },
    ...problemResponses(401, 403, 404, 410, 416),
  },
});

export const reportRoutes = createRouter()
  .openapi(listRoute("/reports", reportQuery), async (c) =>
    okPage(c, await listReports(c.get("call"), c.req.valid("query"), "report:read")),
  )
  .openapi(listRoute("/reports/list", reportQuery), async (c) =>
    okPage(c, await listReports(c.get("call"), c.req.valid("query"), "report:read")),
  )
  .openapi(listRoute("/ecg/reports", reportQuery.omit({ kind: true })), async (c) => {
    const query = { ...c.req.valid("query"), kind: "ecg" as const };
    return okPage(c, await listReports(c.get("call"), query, "report:read"));
  })
  .openapi(
    createRoute({
      method: "get",
      path: "/reports/stats",
      tags,
      summary: "Get report statistics",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({ days: integerParam(1, MAX_STATS_DAYS).default(7).openapi({ example: 7, default: 7 }) }),
      },
      responses: { 200: { ...statsResponse, ...HAS_ETAG }, ...problemResponses(401, 403) },
    }),
    async (c) => {
      const { stats, etag } = await getReportStats(c.get("call"), c.req.valid("query").days);
      if (etag) c.header("ETag", etag);
      return ok(c, stats);
    },
  )
  .openapi(detailRoute("/reports/{report_id}"), async (c) =>
    ok(c, await getReport(c.get("call"), c.env.FILES, c.req.valid("param").report_id, getPublicOrigin(c.env))),
  )
  .openapi(detailRoute("/ecg/reports/{report_id}"), async (c) =>
    ok(c, await getReport(c.get("call"), c.env.FILES, c.req.valid("param").report_id, getPublicOrigin(c.env))),
  )
  .openapi(fileRoute, async (c) => {
    const { report_id } = c.req.valid("param");
    const { link } = c.req.valid("query");
    const file = await downloadReport(c.get("call"), c.env.FILES, report_id, readRangeRequest(c), link);
    return c.body(file.body, file.status, file.headers);
  });
