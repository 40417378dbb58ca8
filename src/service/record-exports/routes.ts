// Routes of exports of a whole record.
import { createRoute, z } from "@hono/zod-openapi";
import { readRangeRequest } from "../../http/file-response.ts";
import { readIdempotencyKey, runOnce } from "../../http/idempotency.ts";
import { linkQuery, rangeHeaders } from "../../http/link-authentication.ts";
import { pageQuery } from "../../http/pagination.ts";
import {
  BEARER_AUTH,
  BEARER_OR_LINK_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { patientParam } from "../../patients/schemas.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { LANGUAGES, RECORD_EXPORT_FORMATS, RECORD_EXPORT_STATES } from "../../platform/db/vocabulary.ts";
import { downloadExport, getExport, listExports, requestExport } from "./request-export.ts";
import { runExport } from "./run-export.ts";

const tags = ["Patient"];
const exportParams = patientParam.extend({ export_id: Id.openapi({ example: EXAMPLES.export }) });

const ExportBody = z
  .strictObject({
    format: z.enum(RECORD_EXPORT_FORMATS).openapi({ description: "zip: JSON, PDF and the files of reports and documents" }),
    language: z.enum(LANGUAGES).default("en").openapi({ description: "Of the PDF", example: "hi" }),
  })
  .openapi("RecordExportRequest");

const RecordExport = z
  .object({
    export_id: Id,
    patient_id: Id,
    format: z.enum(RECORD_EXPORT_FORMATS),
    language: z.string(),
    state: z.enum(RECORD_EXPORT_STATES),
    progress: z.number().int().openapi({ description: "Percent" }),
    reason: z.string().nullable().openapi({ description: "An error code, if it failed" }),
    size: z.number().int().nullable().openapi({ description: "Bytes of the file, when it is ready" }),
    sha256: z.string().nullable(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable().openapi({ description: "Until when the file can be downloaded" }),
    version: z.number().int(),
  })
  .openapi("RecordExport");
const LinkedExport = RecordExport.extend({
  download_url: z.string().nullable().openapi({ description: "Valid for 5 minutes" }),
  download_expires_at: Timestamp.nullable(),
}).openapi("RecordExportWithLink");

const example = {
  export_id: EXAMPLES.export,
  patient_id: EXAMPLES.patient,
  format: "zip" as const,
  language: "en",
  state: "ready" as const,
  progress: 100,
  reason: null,
  size: 1_204_224,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  created_at: EXAMPLES.time,
  expires_at: EXAMPLES.time,
  version: 3,
};
const linkedExample = {
  ...example,
  download_url: `https://clinic.example.org/api/v1/patients/${EXAMPLES.patient}/export/${EXAMPLES.export}/file?link=…`,
  download_expires_at: EXAMPLES.time,
};

/** Behind the response; cron goes on if the runtime ends it. */
async function runBehind(env: Env, id: string): Promise<void> {
  await scheduler.wait(1);
  await runExport(env, id, Date.now());
}

const binary = { schema: z.string().openapi({ format: "binary" }) };
const content = {
  "application/json": { schema: z.looseObject({}), example: { format: "edgecare-record-1" } },
  "application/pdf": binary,
  "application/zip": binary,
};

export const recordExportRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/export",
      tags,
      summary: "Export a record",
      description:
        "Begins an export of the whole record, which is made in the background; who asked is notified when it is ready. Needs a recent sign-in. The file can be downloaded for 7 days.",
      security: BEARER_AUTH,
      request: {
        params: patientParam,
        headers: idempotencyHeaders,
        body: {
          required: true,
          content: { "application/json": { schema: ExportBody, example: { format: "zip", language: "hi" } } },
        },
      },
      responses: {
        202: jsonResponse(z.object({ export_id: Id, state: z.literal("queued") }), "The export has begun", {
          export_id: EXAMPLES.export,
          state: "queued" as const,
        }),
        ...problemResponses(400, 401, 403, 404, 409, 413, 415, 422, 429),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const { patient_id } = c.req.valid("param");
      const body = c.req.valid("json");
      const key = await readIdempotencyKey(c, "record-export");
      const id = await runOnce(
        call,
        key,
        { patient_id, ...body },
        async (keyStatements) => (await requestExport(call, patient_id, body, keyStatements)).id,
        async (exportId) => (await getExport(call, patient_id, exportId, getPublicOrigin(c.env))).export_id,
      );
      c.executionCtx.waitUntil(runBehind(c.env, id));
      return ok(c, { export_id: id, state: "queued" as const }, 202);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/export",
      tags,
      summary: "List exports of a record",
      description: "Those that the caller asked for, newest first. A person sees those of all their logins.",
      security: BEARER_AUTH,
      request: { params: patientParam, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(RecordExport, "Newest first", example), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listExports(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/export/{export_id}",
      tags,
      summary: "Get an export of a record",
      description: "State and progress, and a signed link to the file when it is ready.",
      security: BEARER_AUTH,
      request: { params: exportParams },
      responses: { 200: jsonResponse(LinkedExport, "The export", linkedExample), ...problemResponses(401, 403, 404) },
    }),
    async (c) => {
      const { patient_id, export_id } = c.req.valid("param");
      return ok(c, await getExport(c.get("call"), patient_id, export_id, getPublicOrigin(c.env)));
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/export/{export_id}/file",
      tags,
      summary: "Download an export of a record",
      description: "With an access token or a signed link. Access to the record is checked again. Supports Range.",
      security: BEARER_OR_LINK_AUTH,
      request: { params: exportParams, query: linkQuery, headers: rangeHeaders },
      responses: {
        200: { description: "The file", content },
        206: { description: "The requested byte range", content },
        ...problemResponses(401, 403, 404, 409, 410, 416),
      },
    }),
    async (c) => {
      const { patient_id, export_id } = c.req.valid("param");
      const isByLink = c.req.valid("query").link !== undefined;
      const request = readRangeRequest(c);
      const file = await downloadExport(c.get("call"), c.env.FILES, patient_id, export_id, request, isByLink);
      return c.body(file.body, file.status, file.headers);
    },
  );
