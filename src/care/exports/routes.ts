// The route that exports a report as PDF or DOCX.
import { createRoute, z } from "@hono/zod-openapi";
import { attachmentHeaders } from "../../http/file-response.ts";
import { BEARER_AUTH, createRouter, EXAMPLES, Id, problemResponses } from "../../http/router.ts";
import { LANGUAGES } from "../../platform/db/vocabulary.ts";
import { exportReport } from "./export-report.ts";
import { documentRenderer } from "./render.ts";
import { DOCUMENT_FORMATS } from "./renderer.ts";

const binary = { schema: z.string().openapi({ format: "binary" }) };

export const reportExportRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/reports/{report_id}/export",
    tags: ["DiagnosticReport"],
    summary: "Export a report as a document",
    description:
      "Letterhead, patient, measurements, text and signature as PDF or DOCX, made on request. A report that is not as it was signed says so in the document.",
    security: BEARER_AUTH,
    request: {
      params: z.object({ report_id: Id.openapi({ example: EXAMPLES.report }) }),
      query: z.strictObject({
        format: z.enum(DOCUMENT_FORMATS).openapi({ example: "pdf" }),
        language: z
          .enum(LANGUAGES)
          .optional()
          .openapi({ description: "Without it, the language of the caller's notifications", example: "hi" }),
      }),
    },
    responses: {
      200: {
        description: "The document",
        content: {
          "application/pdf": binary,
          "application/vnd.openxmlformats-officedocument.wordprocessingml.document": binary,
        },
      },
      ...problemResponses(401, 403, 404, 413, 503),
    },
  }),
  async (c) => {
    const { report_id } = c.req.valid("param");
    const file = await exportReport(c.get("call"), c.env, documentRenderer(c.env), report_id, c.req.valid("query"));
    return c.body(new Uint8Array(file.bytes), 200, attachmentHeaders(file));
  },
);
