// Direct uploads of large files: a presigned link, then the confirmation that makes the report.
import { createRoute, z } from "@hono/zod-openapi";
import { readClaim } from "../../http/idempotency.ts";
import { answer, body, EXAMPLE, Id, newRouter, ok, onceHeaders, problems, SECURED, Timestamp } from "../../http/router.ts";
import { exampleReport } from "../reading/shapes.ts";
import { beginDirect, confirmDirect } from "./direct.ts";
import { DirectUpload } from "./incoming.ts";

const tags = ["DiagnosticReport"];

const Begun = z
  .object({
    upload_id: Id,
    method: z.literal("PUT"),
    url: z.string(),
    headers: z.record(z.string(), z.string()).openapi({ description: "To be sent exactly so; all of them are signed" }),
    expires_at: Timestamp,
  })
  .openapi("DirectUpload");
const exampleBegun = {
  upload_id: EXAMPLE.upload,
  method: "PUT" as const,
  url: "https://account.r2.cloudflarestorage.com/edgecare-files/incoming/…?X-Amz-Signature=…",
  headers: {
    "content-type": "application/pdf",
    "content-length": "48234496",
    "if-none-match": "*",
    "x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
  },
  expires_at: EXAMPLE.time,
};

const Confirmed = z
  .object({ upload_id: Id, report_id: Id, status: z.literal("preliminary"), duplicate_of: Id.nullable(), file_url: z.string() })
  .openapi("DirectUploadResult");
const exampleConfirmed = {
  upload_id: EXAMPLE.upload,
  report_id: EXAMPLE.upload,
  status: "preliminary" as const,
  duplicate_of: null,
  file_url: `/api/v1/reports/${EXAMPLE.upload}/file`,
};

export const directRoutes = newRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/reports/direct",
      tags,
      summary: "Begin the upload of a large PDF, at most 100 MiB",
      description:
        "Answers a link of five minutes. PUT the file there with the headers as given, then confirm. What nobody confirms is deleted within the hour.",
      security: SECURED,
      request: {
        headers: onceHeaders,
        body: body(DirectUpload, {
          patient_id: EXAMPLE.patient,
          size: 48_234_496,
          sha256: exampleReport.sha256,
          kind: "ecg",
          file_name: "holter.pdf",
          metrics: { heart_rate: 72 },
        }),
      },
      responses: { 201: answer(Begun, "Where to send it", exampleBegun), ...problems(401, 403, 404, 409, 413, 501) },
    }),
    async (c) => {
      const claim = await readClaim(c, "report.direct");
      return ok(c, await beginDirect(c.get("call"), c.env, claim, c.req.valid("json")), 201);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/reports/direct/{upload_id}/confirm",
      tags,
      summary: "The file has been sent: check it and make the report",
      description: "For its sender alone. The same again answers the same.",
      security: SECURED,
      request: { params: z.object({ upload_id: Id.openapi({ example: EXAMPLE.upload }) }) },
      responses: {
        201: answer(Confirmed, "The report", exampleConfirmed),
        200: answer(Confirmed, "The patient has the same file already", exampleConfirmed),
        ...problems(401, 403, 404, 409, 415),
      },
    }),
    async (c) => {
      const { uploadId, reportId, status } = await confirmDirect(c.get("call"), c.env.FILES, c.req.valid("param").upload_id);
      const data = {
        upload_id: uploadId,
        report_id: reportId,
        status: "preliminary" as const,
        file_url: `/api/v1/reports/${reportId}/file`,
      };
      return status === 201 ? ok(c, { ...data, duplicate_of: null }, 201) : ok(c, { ...data, duplicate_of: reportId });
    },
  );
