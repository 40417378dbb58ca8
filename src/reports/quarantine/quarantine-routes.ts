// The upload log and the quarantine queue: what was tried, whose it is, or that it is nobody's.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import { answer, body, EXAMPLE, Id, newRouter, ok, page, pageAnswer, problems, SECURED, Timestamp } from "../../http/router.ts";
import { UPLOAD_OUTCOMES } from "../../platform/db/vocabulary.ts";
import { downloadQuarantined } from "../reading/download.ts";
import { exampleReport, Kind } from "../reading/shapes.ts";
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
  upload_id: EXAMPLE.upload,
  actor_kind: "device" as const,
  actor_id: EXAMPLE.credential,
  hospital_id: EXAMPLE.hospital,
  patient_id: null,
  report_id: null,
  kind: "ecg",
  outcome: "quarantined" as const,
  reason: "not_found",
  file_name: "ecg.pdf",
  file_size: 2048,
  sha256: exampleReport.sha256,
  created_at: EXAMPLE.time,
};

const KeptUpload = Upload.extend({
  device_id: Id.nullable(),
  fields: z.record(z.string(), z.unknown()).openapi({ description: "What came beside the file" }),
  metrics: z.string().nullable().openapi({ description: "As the machine sent them; checked when the file is assigned" }),
  discard_reason: z.string().nullable(),
}).openapi("KeptUpload");
const exampleKept = {
  ...exampleUpload,
  device_id: EXAMPLE.device,
  fields: { session_type: "rest" },
  metrics: '{"heart_rate":72}',
  discard_reason: null,
};

const Assigned = z
  .object({
    upload_id: Id,
    report_id: Id,
    status: z.literal("preliminary"),
    duplicate_of: Id.nullable().openapi({ description: "The patient's report that holds the same file already" }),
    file_url: z.string(),
  })
  .openapi("Assigned");
const exampleAssigned = {
  upload_id: EXAMPLE.upload,
  report_id: EXAMPLE.upload,
  status: "preliminary" as const,
  duplicate_of: null,
  file_url: `/api/v1/reports/${EXAMPLE.upload}/file`,
};

const params = z.object({ upload_id: Id.openapi({ example: EXAMPLE.upload }) });
const PatientName = z.string().min(1).max(64).openapi({ description: "Id or number", example: EXAMPLE.patient });
const binary = { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } };

export const quarantineRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads",
      tags,
      summary: "Every attempt to upload",
      security: SECURED,
      request: { query: z.strictObject({ ...pageQuery, outcome: z.enum(UPLOAD_OUTCOMES).optional() }) },
      responses: { 200: pageAnswer(Upload, "Newest first", exampleUpload), ...problems(401, 403) },
    }),
    async (c) => page(c, await listUploads(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads/quarantine",
      tags,
      summary: "Files that wait for a person to say whose they are",
      security: SECURED,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageAnswer(KeptUpload, "Newest first", exampleKept), ...problems(401, 403) },
    }),
    async (c) => page(c, await listQuarantine(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads/{upload_id}",
      tags,
      summary: "One attempt with what came beside the file",
      security: SECURED,
      request: { params },
      responses: { 200: answer(KeptUpload, "The attempt", exampleKept), ...problems(401, 403, 404) },
    }),
    async (c) => ok(c, await getUpload(c.get("call"), c.req.valid("param").upload_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/uploads/{upload_id}/file",
      tags,
      summary: "The bytes in quarantine, to see whose they are; Range works",
      security: SECURED,
      request: { params, headers: z.object({ range: z.string().max(200).optional() }) },
      responses: {
        200: { description: "The file", content: binary },
        206: { description: "A part of it", content: binary },
        ...problems(401, 403, 404, 416),
      },
    }),
    async (c) => {
      const { upload_id } = c.req.valid("param");
      const file = await downloadQuarantined(c.get("call"), c.env.FILES, upload_id, c.req.header("Range"));
      return c.body(file.body, file.status, file.headers);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/uploads/{upload_id}/assign",
      tags,
      summary: "Make a report of it, for the patient whose it is",
      description: "Checks file and metrics as an upload does. The same assignment again answers the same report.",
      security: SECURED,
      request: {
        params,
        body: body(z.strictObject({ patient_id: PatientName, kind: Kind.optional() }), { patient_id: EXAMPLE.patient }),
      },
      responses: {
        201: answer(Assigned, "The report", exampleAssigned),
        200: answer(Assigned, "Assigned before, or the patient has the same file already", exampleAssigned),
        ...problems(401, 403, 404, 409),
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
      summary: "Give a file in quarantine up; its bytes are deleted",
      security: SECURED,
      request: {
        params,
        body: body(z.strictObject({ reason: z.string().trim().min(1).max(500) }), { reason: "A test print of the machine" }),
      },
      responses: {
        200: answer(KeptUpload, "What remains is the log", {
          ...exampleKept,
          outcome: "discarded",
          discard_reason: "A test print of the machine",
        }),
        ...problems(401, 403, 404, 409),
      },
    }),
    async (c) => {
      const { upload_id } = c.req.valid("param");
      return ok(c, await discardUpload(c.get("call"), c.env.FILES, upload_id, c.req.valid("json").reason));
    },
  );
