// Routes of direct uploads: request a presigned URL, then confirm the upload.
import { createRoute, z } from "@hono/zod-openapi";
import { readIdempotencyKey } from "../../http/idempotency.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { QUARANTINE_REASONS } from "../../platform/db/vocabulary.ts";
import { exampleReport } from "../reading/schemas.ts";
import { confirmDirectUpload } from "./confirm-direct-upload.ts";
import { beginDirectUpload } from "./direct-upload.ts";
import { DirectUploadInput } from "./upload-request.ts";

const tags = ["DiagnosticReport"];

const DirectUploadTarget = z
  .object({
    upload_id: Id,
    method: z.literal("PUT"),
    url: z.string(),
    headers: z.record(z.string(), z.string()).openapi({ description: "Send exactly these headers: all of them are signed" }),
    expires_at: Timestamp,
  })
  .openapi("DirectUpload");
const exampleDirectUpload = {
  upload_id: EXAMPLES.upload,
  method: "PUT" as const,
  url: "https://account.r2.cloudflarestorage.com/edgecare-files/incoming/…?X-Amz-Signature=…",
  headers: {
    "content-type": "application/pdf",
    "content-length": "48234496",
    "if-none-match": "*",
    "x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
  },
  expires_at: EXAMPLES.time,
};

const ConfirmedUpload = z
  .object({ upload_id: Id, report_id: Id, status: z.literal("preliminary"), duplicate_of: Id.nullable(), file_url: z.string() })
  .openapi("DirectUploadResult");
const exampleConfirmedUpload = {
  upload_id: EXAMPLES.upload,
  report_id: EXAMPLES.upload,
  status: "preliminary" as const,
  duplicate_of: null,
  file_url: `/api/v1/reports/${EXAMPLES.upload}/file`,
};

const QuarantinedDirectUpload = z
  .object({ upload_id: Id, report_id: z.null(), status: z.literal("quarantined"), reason: z.enum(QUARANTINE_REASONS) })
  .openapi("QuarantinedDirectUpload");
const exampleQuarantinedUpload = {
  upload_id: EXAMPLES.upload,
  report_id: null,
  status: "quarantined" as const,
  reason: "binding_changed" as const,
};

export const directRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/reports/direct",
      tags,
      summary: "Begin a direct upload",
      description:
        "For PDFs of at most 100 MiB. Returns a URL that is valid for 5 minutes. PUT the file there with the given headers, then " +
        "confirm the upload. Unconfirmed files are deleted within one hour.",
      security: BEARER_AUTH,
      request: {
        headers: idempotencyHeaders,
        body: jsonRequestBody(DirectUploadInput, {
          patient_id: EXAMPLES.patient,
          size: 48_234_496,
          sha256: exampleReport.sha256,
          kind: "ecg",
          file_name: "holter.pdf",
          metrics: { heart_rate: 72 },
        }),
      },
      responses: {
        201: jsonResponse(DirectUploadTarget, "The upload URL", exampleDirectUpload),
        ...problemResponses(401, 403, 404, 409, 413, 501),
      },
    }),
    async (c) => {
      const idempotencyKey = await readIdempotencyKey(c, "report.direct");
      return ok(c, await beginDirectUpload(c.get("call"), c.env, idempotencyKey, c.req.valid("json")), 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/reports/direct/{upload_id}/confirm",
      tags,
      summary: "Confirm a direct upload",
      description:
        "Verifies the file and creates the report; a device's file whose patient is unclear goes to quarantine. Only for the sender. Idempotent; 409 report_moved once staff have moved the report to another record.",
      security: BEARER_AUTH,
      request: { params: z.object({ upload_id: Id.openapi({ example: EXAMPLES.upload }) }) },
      responses: {
        201: jsonResponse(ConfirmedUpload, "The report", exampleConfirmedUpload),
        200: jsonResponse(ConfirmedUpload, "The patient already has a report with the same file", exampleConfirmedUpload),
        202: jsonResponse(QuarantinedDirectUpload, "In quarantine (devices only)", exampleQuarantinedUpload),
        ...problemResponses(401, 403, 404, 409, 415),
      },
    }),
    async (c) => {
      const confirmed = await confirmDirectUpload(c.get("call"), c.env.FILES, c.req.valid("param").upload_id);
      const { uploadId } = confirmed;
      if (confirmed.status === 202) {
        const { reason } = confirmed;
        return ok(c, { upload_id: uploadId, report_id: null, status: "quarantined" as const, reason }, 202);
      }
      const { reportId, status } = confirmed;
      const data = {
        upload_id: uploadId,
        report_id: reportId,
        status: "preliminary" as const,
        file_url: `/api/v1/reports/${reportId}/file`,
      };
      return status === 201 ? ok(c, { ...data, duplicate_of: null }, 201) : ok(c, { ...data, duplicate_of: reportId }, 200);
    },
  );
