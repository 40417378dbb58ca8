// Routes of uploads. Not validated by the framework, which would read the body before access is checked.
import { type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { signLink } from "../../access/file-links.ts";
import { checkRequest } from "../../http/check-request.ts";
import { readIdempotencyKey } from "../../http/idempotency.ts";
import {
  type AppEnv,
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonResponse,
  ok,
  Problem,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { QUARANTINE_REASONS } from "../../platform/db/vocabulary.ts";
import { exampleLink, exampleReport, MetricFlags } from "../reading/schemas.ts";
import { MAX_BATCH_FILES, readBatch, receiveBatch } from "./batch.ts";
import { MAX_METRICS_BYTES } from "./metrics.ts";
import { receiveUpload } from "./upload.ts";
import { ReportFields, readUploadRequest } from "./upload-request.ts";

/** Paths of forms: the canonical one and its compatibility alias. They also take a raw PDF, for clients that send it there. */
const FORM_PATHS = ["/reports", "/ecg/reports/upload"];
const RAW_PATH = "/reports/raw";

const UploadResult = z
  .object({
    report_id: Id.nullable(),
    upload_id: Id,
    status: z
      .enum(["preliminary", "entered-in-error", "quarantined"])
      .openapi({ description: "entered-in-error: the existing report with the same file was marked so; it can be corrected" }),
    reason: z
      .string()
      .nullable()
      .openapi({ description: `If the file is in quarantine: ${QUARANTINE_REASONS.join(", ")}` }),
    duplicate_of: Id.nullable().openapi({ description: "Existing report with the same file" }),
    cloud_url: z
      .string()
      .nullable()
      .openapi({ description: "Signed link, valid for 5 minutes, bound to the uploader's session or credential" }),
    cloud_url_expires_at: Timestamp.nullable(),
    file_url: z.string().nullable().openapi({ description: "Permanent; requires an access token" }),
    metric_flags: MetricFlags,
  })
  .openapi("UploadResult");
const exampleUploadResult = {
  report_id: EXAMPLES.report,
  upload_id: EXAMPLES.report,
  status: "preliminary" as const,
  reason: null,
  duplicate_of: null,
  cloud_url: exampleLink.download_url,
  cloud_url_expires_at: EXAMPLES.time,
  file_url: exampleReport.file_url,
  metric_flags: [{ name: "pr_interval_ms", code: "not_measured" as const }],
};

const metrics = "JSON object, kept as sent; a doubtful value is flagged (metric_flags) and never refused";
const uploadForm = ReportFields.extend({
  file: z.string().openapi({ format: "binary", description: "The PDF, at most 10 MiB" }),
  metrics: z.string().max(MAX_METRICS_BYTES).optional().openapi({ description: metrics }),
});

const digestHeader = (description: string) =>
  z
    .string()
    .max(64)
    .regex(/^[0-9a-fA-F]{64}$/)
    .optional()
    .openapi({ description, example: exampleReport.sha256 });
const formHeaders = idempotencyHeaders.extend({
  "X-Content-SHA256": digestHeader("SHA-256 of the file, 64 hexadecimal digits: other bytes are refused"),
});

/** A raw body has its fields in the query, and file name, digest and metrics in headers. */
const rawHeaders = idempotencyHeaders.extend({
  "X-Content-SHA256": digestHeader("Required: 64 hexadecimal digits"),
  "X-File-Name": z.string().max(1024).optional().openapi({ description: "Percent-encoded UTF-8", example: "ecg.pdf" }),
  "X-Report-Metrics": z
    .string()
    .max(MAX_METRICS_BYTES)
    .optional()
    .openapi({ description: `Percent-encoded: ${metrics}`, example: "%7B%22heart_rate%22%3A72%7D" }),
});

type UploadContract = Pick<RouteConfig, "path" | "summary" | "description" | "request">;

const MOVED =
  "A retry with the Idempotency-Key of a report that staff have moved to another record since is answered 409 report_moved: do not send it again.";

/** One operation per media type, because generated clients take one type and one list of fields per operation. */
const formRequest = (path: string): UploadContract => ({
  path,
  summary: "Upload a report",
  description: `At most 10 MiB. For larger files and streams, see ${RAW_PATH} and /reports/direct. ${MOVED}`,
  request: {
    headers: formHeaders,
    body: { required: true, content: { "multipart/form-data": { schema: uploadForm } } },
  },
});
const rawRequest: UploadContract = {
  path: RAW_PATH,
  summary: "Upload a report as a raw PDF",
  description: `The PDF is the body, at most 25 MiB, with Content-Length and X-Content-SHA256. ${MOVED}`,
  request: {
    headers: rawHeaders,
    query: ReportFields,
    body: { required: true, content: { "application/pdf": { schema: z.string().openapi({ format: "binary" }) } } },
  },
};

function uploadRoute(request: UploadContract): RouteConfig {
  return {
    method: "post",
    tags: ["DiagnosticReport"],
    security: BEARER_AUTH,
    ...request,
    responses: {
      201: jsonResponse(UploadResult, "Stored", exampleUploadResult),
      200: jsonResponse(UploadResult, "The patient already has a report with the same file", {
        ...exampleUploadResult,
        duplicate_of: EXAMPLES.report,
      }),
      202: jsonResponse(UploadResult, "In quarantine (devices only)", {
        ...exampleUploadResult,
        report_id: null,
        status: "quarantined",
        reason: "not_found",
        cloud_url: null,
        cloud_url_expires_at: null,
        file_url: null,
      }),
      ...problemResponses(401, 403, 404, 408, 409, 411, 413, 415),
    },
  };
}

async function handleUpload(c: Context<AppEnv>, takesForms: boolean) {
  const call = c.get("call");
  const result = await receiveUpload(call, c.env.FILES, readIdempotencyKey(c, "report.upload"), () =>
    readUploadRequest(c, "ecg", takesForms),
  );
  const links = { cloud_url: null, cloud_url_expires_at: null, file_url: null };
  const emptyResult = { duplicate_of: null, ...links, reason: null, metric_flags: result.metricFlags };
  if (result.outcome === "quarantined") {
    const { uploadId, reason } = result;
    return ok(c, { ...emptyResult, report_id: null, upload_id: uploadId, status: "quarantined" as const, reason }, 202);
  }
  const { reportId, uploadId } = result;
  // Devices and apps may read back their own uploads, but not an earlier upload of another sender.
  const isReadable = result.outcome !== "duplicate" || call.actor.kind === "user";
  const link = await signLink(call, getPublicOrigin(c.env), { kind: "report", id: reportId });
  const data = {
    ...emptyResult,
    report_id: reportId,
    upload_id: uploadId,
    status: result.outcome === "duplicate" && result.isInError ? ("entered-in-error" as const) : ("preliminary" as const),
    duplicate_of: result.status === 200 ? reportId : null,
    cloud_url: isReadable ? link.url : null,
    cloud_url_expires_at: isReadable ? link.expires_at : null,
    file_url: isReadable ? `/api/v1/reports/${reportId}/file` : null,
  };
  return result.status === 200 ? ok(c, data) : ok(c, data, 201);
}

const BatchResultItem = z
  .object({
    index: z.number().int().min(0).max(MAX_BATCH_FILES),
    status: z
      .number()
      .int()
      .min(200)
      .max(599)
      .openapi({ description: "HTTP status that a single upload of this file would return" }),
    report_id: Id.nullable(),
    upload_id: Id.nullable(),
    duplicate_of: Id.nullable(),
    code: z.string().max(60).nullable(),
    detail: z.string().max(200).nullable(),
    errors: Problem.shape.errors,
  })
  .openapi("BatchItemResult");
const emptyResult = { duplicate_of: null, code: null, detail: null, errors: [] };
const exampleStoredItem = { ...emptyResult, report_id: EXAMPLES.report, upload_id: EXAMPLES.report };
const exampleRefusedItem = { ...emptyResult, report_id: null, upload_id: null, code: "not_pdf", detail: "File is not a PDF" };

const batchForm = z.object({
  file: z
    .array(z.string().openapi({ format: "binary" }))
    .min(1)
    .max(MAX_BATCH_FILES)
    .openapi({ description: "PDFs, at most 10 MiB in total" }),
  items: z
    .string()
    .max(1024 * 1024)
    .optional()
    .openapi({
      description:
        "JSON array with one object per file, in the same order: the fields of a single upload, metrics, idempotency_key",
      example: JSON.stringify([{ patient_id: EXAMPLES.patient, metrics: { heart_rate: 72 }, idempotency_key: "cart-7-0001" }]),
    }),
});

const batchRoute: RouteConfig = {
  method: "post",
  path: "/reports/batch",
  tags: ["DiagnosticReport"],
  summary: "Upload a batch of reports",
  description: "Up to 100 PDFs in one form. Each file is processed on its own: a rejected file does not affect the others.",
  security: BEARER_AUTH,
  request: { body: { required: true, content: { "multipart/form-data": { schema: batchForm } } } },
  responses: {
    200: jsonResponse(z.array(BatchResultItem).max(MAX_BATCH_FILES), "One result per file, in the order of the files", [
      { index: 0, status: 201, ...exampleStoredItem },
      { index: 1, status: 415, ...exampleRefusedItem },
    ]),
    ...problemResponses(401, 403, 408, 413, 415),
  },
};

async function handleBatch(c: Context<AppEnv>) {
  return ok(c, await receiveBatch(c.get("call"), c.env, () => readBatch(c)));
}

export const uploadRoutes = createRouter();
uploadRoutes.openAPIRegistry.registerPath(batchRoute);
uploadRoutes.post("/reports/batch", checkRequest(batchRoute), handleBatch);
/** Also for forms, whose paths take the query of a raw PDF. */
const checkUpload = checkRequest(uploadRoute(rawRequest));
for (const request of [...FORM_PATHS.map(formRequest), rawRequest]) {
  uploadRoutes.openAPIRegistry.registerPath(uploadRoute(request));
  uploadRoutes.post(request.path, checkUpload, (c) => handleUpload(c, request !== rawRequest));
}
