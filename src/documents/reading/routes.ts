// Routes of documents: list, detail, file, link, and the mark of an error.
import { createRoute, z } from "@hono/zod-openapi";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { readRangeRequest } from "../../http/file-response.ts";
import { linkQuery, rangeHeaders } from "../../http/link-authentication.ts";
import {
  BEARER_AUTH,
  BEARER_OR_LINK_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  ifMatchHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
  Timestamp,
} from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { DOCUMENT_TYPES } from "../../platform/db/vocabulary.ts";
import { markInError } from "../correction/mark-in-error.ts";
import { getDocument } from "./document.ts";
import { createDocumentLink, downloadDocument } from "./download.ts";
import { listDocuments } from "./list.ts";
import { DetailedDocument, Document, documentQuery, exampleDetailedDocument, exampleDocument } from "./schemas.ts";

const tags = ["DocumentReference"];
const params = z.object({ document_id: Id.openapi({ example: EXAMPLES.document }) });
const binary = { schema: z.string().openapi({ format: "binary" }) };
const fileContent = Object.fromEntries(DOCUMENT_TYPES.map((type) => [type, binary]));

const exampleMark = {
  ...exampleDocument,
  status: "entered-in-error" as const,
  entered_in_error: { reason: "Of another patient", by: EXAMPLES.user, at: EXAMPLES.time },
  version: 2,
};

export const documentRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/documents",
      tags,
      summary: "List documents",
      description: "Current versions, newest first.",
      security: BEARER_AUTH,
      request: { query: documentQuery },
      responses: { 200: pageResponse(Document, "Newest first", exampleDocument), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listDocuments(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/documents/{document_id}",
      tags,
      summary: "Get a document",
      description: "One version, with a list of all versions. What was entered in error is not found for patients.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(DetailedDocument, "The document", exampleDetailedDocument),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getDocument(c.get("call"), c.req.valid("param").document_id)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/documents/{document_id}/file",
      tags,
      summary: "Download the file of a document",
      description: "With an access token or a signed link, as an attachment. Supports Range and If-Range with the file's ETag.",
      security: BEARER_OR_LINK_AUTH,
      request: { params, query: linkQuery, headers: rangeHeaders },
      responses: {
        200: { description: "The file", content: fileContent },
        206: { description: "The requested byte range", content: fileContent },
        ...problemResponses(401, 403, 404, 410, 416),
      },
    }),
    async (c) => {
      const { document_id } = c.req.valid("param");
      const isByLink = c.req.valid("query").link !== undefined;
      const file = await downloadDocument(c.get("call"), c.env.FILES, document_id, readRangeRequest(c), isByLink);
      return c.body(file.body, file.status, file.headers);
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/documents/{document_id}/link",
      tags,
      summary: "Create a download link of a document",
      description: "Valid for 5 minutes, bound to the session; the caller's access is checked again at each use.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(z.object({ download_url: z.string(), download_expires_at: Timestamp }), "The link", {
          download_url: `https://clinic.example.org/api/v1/documents/${EXAMPLES.document}/file?link=…`,
          download_expires_at: EXAMPLES.time,
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await createDocumentLink(c.get("call"), c.req.valid("param").document_id, getPublicOrigin(c.env))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/documents/{document_id}",
      tags,
      summary: "Mark a document as entered in error",
      description:
        "Marks all versions; name the current one. They leave lists and stay visible to staff. The files are kept. Requires If-Match.",
      security: BEARER_AUTH,
      request: {
        params,
        headers: ifMatchHeaders,
        body: jsonRequestBody(z.strictObject({ reason: z.string().trim().min(3).max(500) }), { reason: "Of another patient" }),
      },
      responses: {
        200: jsonResponse(Document, "The document", exampleMark),
        ...problemResponses(401, 403, 404, 409, 412, 428),
      },
    }),
    async (c) => {
      const { document_id } = c.req.valid("param");
      const { reason } = c.req.valid("json");
      return ok(c, await changeIfMatch(c, (call, expected) => markInError(call, document_id, expected, reason)));
    },
  );
