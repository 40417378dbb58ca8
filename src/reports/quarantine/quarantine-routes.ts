// Routes of the upload log and the quarantine.
import { createRoute, z } from "@hono/zod-openapi";
import { readRangeRequest } from "../../http/file-response.ts";
import { rangeHeaders } from "../../http/link-authentication.ts";
import { MeasuredAtInput } from "../../http/measured-at.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  PatientRef,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { UPLOAD_OUTCOMES } from "../../platform/db/vocabulary.ts";
import { downloadQuarantined } from "../reading/download.ts";
import { exampleReport, Kind } from "../reading/schemas.ts";
import { assignUpload, discardUpload } from "./quarantine.ts";
import { getUpload, listQuarantine, listUploads } from "./upload-list.ts";

const tags = ["Upload log"];

const Upload = z
  .object({
    upload_id: Id,
    actor_kind: z.enum(["user", "device", "app"]),
    actor_id: z.string(),
    hospital_id: Id.nullable(),
    patient_id: Id.nullable(),
    report_id: Id.nullable(),
    kind: z.string().nullable(),
    outcome: z.enum(UPLOAD_OUTCOMES),
    reason: z.string().nullable(),
    file_name: z.string().nullable(),
    file_size: z.number().int().nullable(),
    sha256: z.string().nullable(),
    created_at: Timestamp,
  })
  .openapi("Upload");
const exampleUpload = {
  upload_id: EXAMPLES.upload,
  actor_kind: "device" as const,
  actor_id: EXAMPLES.credential,
  hospital_id: EXAMPLES.hospital,
  patient_id: null,
  report_id: null,
  kind: "ecg",
  outcome: "quarantined" as const,
  reason: "not_found",
  file_name: "ecg.pdf",
  file_size: 2048,
  sha256: exampleReport.sha256,
  created_at: EXAMPLES.time,
};

const UploadWithDetail = Upload.extend({
  device_id: Id.nullable(),
  fields: z.record(z.string(), z.unknown()).openapi({ description: "Fields that were sent with the file" }),
  measured_at: Timestamp.nullable().openapi({ description: "Null: it came without a time, or with an unclear one" }),
  metrics: z.string().nullable().openapi({ description: "As received" }),
  discard_reason: z.string().nullable(),
  assign_reason: z.string().nullable(),
}).openapi("KeptUpload");
const exampleUploadWithDetail = {
  ...exampleUpload,
  device_id: EXAMPLES.device,
  fields: { session_type: "rest" },
  measured_at: null,
  metrics: '{"heart_rate":72}',
  discard_reason: null,
  assign_reason: null,
};

const AssignedUpload = z
  .object({
    upload_id: Id,
    report_id: Id,
    status: z.literal("preliminary"),
    duplicate_of: Id.nullable().openapi({ description: "Existing report of the patient with the same file" }),
    file_url: z.string(),
  })
  .openapi("Assigned");
const exampleAssignedUpload = {
  upload_id: EXAMPLES.upload,
  report_id: EXAMPLES.upload,
  status: "preliminary" as const,
  duplicate_of: null,
  file_url: `/api/v1/reports/${EXAMPLES.upload}/file`,
};

const AssignmentInput = z.strictObject({
  patient_id: PatientRef,
  kind: Kind.optional(),
  recorded_at: MeasuredAtInput.optional(),
  reason: z.string().trim().min(1).max(500).optional(),
});

const params = z.object({ upload_id: Id.openapi({ example: EXAMPLES.upload }) });
const binary = { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } };

export const quarantineRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads",
      tags,
      summary: "List upload attempts",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, outcome: z.enum(UPLOAD_OUTCOMES).optional() }) },
      responses: { 200: pageResponse(Upload, "Newest first", exampleUpload), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listUploads(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads/quarantine",
      tags,
      summary: "List files in quarantine",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(UploadWithDetail, "Newest first", exampleUploadWithDetail), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listQuarantine(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads/{upload_id}",
      tags,
      summary: "Get an upload attempt",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(UploadWithDetail, "The upload attempt", exampleUploadWithDetail),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getUpload(c.get("call"), c.req.valid("param").upload_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads/{upload_id}/file",
      tags,
      summary: "Download a file in quarantine",
      security: BEARER_AUTH,
      request: { params, headers: rangeHeaders },
      responses: {
        200: { description: "The file", content: binary },
        206: { description: "The requested byte range", content: binary },
        ...problemResponses(401, 403, 404, 416),
      },
    }),
    async (c) => {
      const { upload_id } = c.req.valid("param");
      const file = await downloadQuarantined(c.get("call"), c.env.FILES, upload_id, readRangeRequest(c));
      return c.body(file.body, file.status, file.headers);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/uploads/{upload_id}/assign",
      tags,
      summary: "Assign a file in quarantine to a patient",
      description:
        "Checks the file as an upload does and creates the report. Idempotent. A file that is no proper PDF needs a reason, one whose " +
        "time is unclear (time_unclear) needs a time. What has no PDF header in its first KiB can only be discarded.",
      security: BEARER_AUTH,
      request: {
        params,
        body: jsonRequestBody(AssignmentInput, { patient_id: EXAMPLES.patient }),
      },
      responses: {
        201: jsonResponse(AssignedUpload, "The report", exampleAssignedUpload),
        200: jsonResponse(
          AssignedUpload,
          "Already assigned, or the patient has a report with the same file",
          exampleAssignedUpload,
        ),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { upload_id } = c.req.valid("param");
      const { reportId, status, duplicate } = await assignUpload(c.get("call"), c.env.FILES, upload_id, c.req.valid("json"));
      const duplicate_of = duplicate ? reportId : null;
      const file_url = `/api/v1/reports/${reportId}/file`;
      const data = { upload_id, report_id: reportId, status: "preliminary" as const, duplicate_of, file_url };
      return status === 201 ? ok(c, data, 201) : ok(c, data);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/uploads/{upload_id}/discard",
      tags,
      summary: "Discard a file in quarantine",
      description: "Deletes the file. The log entry stays.",
      security: BEARER_AUTH,
      request: {
        params,
        body: jsonRequestBody(z.strictObject({ reason: z.string().trim().min(1).max(500) }), {
          reason: "Test print",
        }),
      },
      responses: {
        200: jsonResponse(UploadWithDetail, "The discarded upload", {
          ...exampleUploadWithDetail,
          outcome: "discarded",
          discard_reason: "Test print",
        }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { upload_id } = c.req.valid("param");
      return ok(c, await discardUpload(c.get("call"), c.env.FILES, upload_id, c.req.valid("json").reason));
    },
  );
