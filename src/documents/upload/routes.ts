// Routes of uploads of documents. Not validated by the framework, which would read the body before access is checked.
import { type RouteConfig, z } from "@hono/zod-openapi";
import { checkRequest } from "../../http/check-request.ts";
import { changeIfMatch } from "../../http/conditional-requests.ts";
import { readIdempotencyKey } from "../../http/idempotency.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  idempotencyHeaders,
  ifMatchHeaders,
  jsonResponse,
  ok,
  problemResponses,
  validationError,
} from "../../http/router.ts";
import { exampleUploadedDocument, UploadedDocument } from "../reading/schemas.ts";
import { createDocument } from "./create-document.ts";
import { DocumentFields, type DocumentForm, readDocumentForm, VersionFields } from "./read-form.ts";
import { replaceDocument } from "./replace-document.ts";

const tags = ["DocumentReference"];
const params = z.object({ document_id: Id.openapi({ example: EXAMPLES.document }) });
const file = z.string().openapi({ format: "binary", description: "At most 25 MiB" });
const TYPES = "PDF, JPEG, PNG, DOCX without macros, or plain text in UTF-8: found from the bytes of the file.";

const createContract: RouteConfig = {
  method: "post",
  path: "/documents",
  tags,
  summary: "Upload a document",
  description: `${TYPES} A file that the patient already has is not stored again (200).`,
  security: BEARER_AUTH,
  request: {
    headers: idempotencyHeaders,
    body: { required: true, content: { "multipart/form-data": { schema: DocumentFields.extend({ file }) } } },
  },
  responses: {
    201: jsonResponse(UploadedDocument, "Stored", exampleUploadedDocument),
    200: jsonResponse(UploadedDocument, "The patient has a document with the same file", {
      ...exampleUploadedDocument,
      duplicate_of: EXAMPLES.document,
    }),
    ...problemResponses(401, 403, 404, 408, 409, 413, 415),
  },
};

const replaceContract: RouteConfig = {
  method: "post",
  path: "/documents/{document_id}/versions",
  tags,
  summary: "Upload a new version of a document",
  description: `${TYPES} Name the current version, which becomes superseded. A patient replaces only what they have uploaded. At most 50 versions. Requires If-Match.`,
  security: BEARER_AUTH,
  request: {
    params,
    headers: idempotencyHeaders.extend(ifMatchHeaders.shape),
    body: { required: true, content: { "multipart/form-data": { schema: VersionFields.extend({ file }) } } },
  },
  responses: {
    201: jsonResponse(UploadedDocument, "Stored", {
      ...exampleUploadedDocument,
      document_id: EXAMPLES.upload,
      relates_to: EXAMPLES.document,
      version_number: 2,
    }),
    200: jsonResponse(UploadedDocument, "The current version has the same file", {
      ...exampleUploadedDocument,
      duplicate_of: EXAMPLES.document,
    }),
    ...problemResponses(401, 403, 404, 408, 409, 412, 413, 415, 428),
  },
};

export const documentUploadRoutes = createRouter();
documentUploadRoutes.openAPIRegistry.registerPath(createContract);
documentUploadRoutes.post("/documents", checkRequest(createContract), async (c) => {
  const key = await readIdempotencyKey(c, "document.create");
  const { status, document } = await createDocument(c.get("call"), c.env.FILES, key, () => readDocumentForm(c, DocumentFields));
  return status === 200 ? ok(c, document) : ok(c, document, 201);
});
documentUploadRoutes.openAPIRegistry.registerPath(replaceContract);
documentUploadRoutes.post("/documents/:document_id/versions", checkRequest(replaceContract), async (c) => {
  const parsed = params.safeParse(c.req.param());
  if (!parsed.success) throw validationError(parsed.error);
  const key = await readIdempotencyKey(c, "document.replace");
  // Read once: a change with `*` may run again.
  let form: Promise<DocumentForm<VersionFields>> | undefined;
  const read = () => (form ??= readDocumentForm(c, VersionFields, ["author"]));
  const { status, document } = await changeIfMatch(c, (call, expected) =>
    replaceDocument(call, c.env.FILES, key, parsed.data.document_id, expected, read),
  );
  return status === 200 ? ok(c, document) : ok(c, document, 201);
});
