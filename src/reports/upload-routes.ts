// The upload itself: described here, but not validated by the framework, which would read the body before the gate is asked.
import { type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { readClaim } from "../idempotency.ts";
import { type AppEnv, answer, EXAMPLE, Id, newRouter, ok, problems, SECURED, Timestamp } from "../router.ts";
import { readIncoming } from "./incoming.ts";
import { signLink } from "./links.ts";
import { exampleLink, exampleReport, Kind } from "./shapes.ts";
import { receiveUpload } from "./upload.ts";

/** The canonical path and the documents' own. */
const PATHS = ["/reports", "/ecg/reports/upload"];

const Uploaded = z
  .object({
    report_id: Id.nullable(),
    upload_id: Id,
    status: z.enum(["preliminary", "quarantined"]),
    reason: z.string().nullable().openapi({ description: "Why it is in quarantine" }),
    duplicate_of: Id.nullable().openapi({ description: "The report that holds the same file already" }),
    cloud_url: z.string().nullable().openapi({ description: "A link of five minutes, for its uploader" }),
    cloud_url_expires_at: Timestamp.nullable(),
    file_url: z.string().nullable().openapi({ description: "Permanent; needs a token" }),
  })
  .openapi("UploadResult");
const exampleUploaded = {
  report_id: EXAMPLE.report,
  upload_id: EXAMPLE.report,
  status: "preliminary" as const,
  reason: null,
  duplicate_of: null,
  cloud_url: exampleLink.download_url,
  cloud_url_expires_at: EXAMPLE.time,
  file_url: exampleReport.file_url,
};

const form = z.object({
  file: z.string().openapi({ format: "binary", description: "The PDF, at most 10 MB" }),
  patient_id: z.string().optional(),
  kind: Kind.optional(),
  metrics: z.string().optional().openapi({ description: "JSON, checked per kind; unknown keys are kept" }),
  recorded_at: Timestamp.optional(),
  session_type: z.string().optional(),
  confidence: z.string().optional(),
  encounter_id: Id.optional(),
});

const description =
  "multipart/form-data (at most 10 MB), or the PDF itself as application/pdf (at most 25 MB) with Content-Length, " +
  "X-Content-SHA256, optionally X-File-Name and X-Report-Metrics (percent-encoded), and the other fields in the query.";

function contract(path: string): RouteConfig {
  return {
    method: "post",
    path,
    tags: ["DiagnosticReport"],
    summary: "Upload a PDF report with its metrics",
    description,
    security: SECURED,
    request: {
      headers: z.object({ "idempotency-key": z.string().optional() }),
      body: {
        required: true,
        content: {
          "multipart/form-data": { schema: form },
          "application/pdf": { schema: z.string().openapi({ format: "binary" }) },
        },
      },
    },
    responses: {
      201: answer(Uploaded, "Stored", exampleUploaded),
      200: answer(Uploaded, "The same file is there already", { ...exampleUploaded, duplicate_of: EXAMPLE.report }),
      202: answer(Uploaded, "Kept in quarantine (devices)", {
        ...exampleUploaded,
        report_id: null,
        status: "quarantined",
        reason: "not_found",
        cloud_url: null,
        cloud_url_expires_at: null,
        file_url: null,
      }),
      ...problems(401, 403, 404, 408, 409, 411, 413, 415),
    },
  };
}

async function upload(c: Context<AppEnv>) {
  const call = c.get("call");
  const result = await receiveUpload(call, c.env.FILES, readClaim(c, "report.upload"), () => readIncoming(c, "ecg"));
  const blank = { duplicate_of: null, cloud_url: null, cloud_url_expires_at: null, file_url: null, reason: null };
  if (result.outcome === "quarantined") {
    const { uploadId, reason } = result;
    return ok(c, { ...blank, report_id: null, upload_id: uploadId, status: "quarantined" as const, reason }, 202);
  }
  const { reportId, uploadId } = result;
  // A device reads back what it brought, not what somebody else brought before.
  const readable = result.outcome !== "duplicate" || call.actor.kind === "user";
  const link = await signLink(call, new URL(c.req.url).origin, reportId);
  const data = {
    ...blank,
    report_id: reportId,
    upload_id: uploadId,
    status: "preliminary" as const,
    duplicate_of: result.status === 200 ? reportId : null,
    cloud_url: readable ? link.url : null,
    cloud_url_expires_at: readable ? link.expires_at : null,
    file_url: readable ? `/api/v1/reports/${reportId}/file` : null,
  };
  return result.status === 200 ? ok(c, data) : ok(c, data, 201);
}

export const uploadRoutes = newRouter();
for (const path of PATHS) {
  uploadRoutes.openAPIRegistry.registerPath(contract(path));
  uploadRoutes.post(path, upload);
}
