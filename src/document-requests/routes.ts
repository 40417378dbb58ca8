// Routes of document requests: create, list, read, and the steps of both hospitals.
import { createRoute, z } from "@hono/zod-openapi";
import { readIdempotencyKey, runOnce } from "../http/idempotency.ts";
import { pageQuery } from "../http/pagination.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  idempotencyHeaders,
  jsonRequestBody,
  jsonResponse,
  ok,
  okPage,
  pageResponse,
  problemResponses,
} from "../http/router.ts";
import { approveRequest, cancelRequest, rejectRequest } from "./advance-request.ts";
import { createRequest } from "./create-request.ts";
import { fulfilRequest } from "./fulfil-request.ts";
import { listAskableHospitals } from "./list-hospitals.ts";
import { getRequest, listRequests } from "./list-requests.ts";
import {
  DocumentRequest,
  DocumentRequestId,
  exampleNewRequest,
  exampleRequest,
  Fulfilment,
  Hospital,
  NewDocumentRequest,
  Rejection,
  requestQuery,
} from "./schemas.ts";

const tags = ["Document requests"];
const params = z.object({ document_request_id: DocumentRequestId });
const asked = { hospital_id: EXAMPLES.hospital, name: "Lake Clinic" };
const exampleIncoming = {
  ...exampleRequest,
  direction: "in" as const,
  patient_id: null,
  hospital: asked,
  shared_patient_ids: [EXAMPLES.patient],
  decided_at: EXAMPLES.time,
  answered_by: EXAMPLES.user,
  answered_at: EXAMPLES.time,
  version: 2,
};
const exampleEnd = { ended_by: EXAMPLES.user, ended_at: EXAMPLES.time };

export const documentRequestRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/document-requests",
      tags,
      summary: "Request documents of another hospital",
      description:
        "For a patient of the caller's own hospital, whose consent is requested with it. The response is the same whether documents " +
        "exist elsewhere. The asked hospital sees the request once the person has consented. Expires after 30 days.",
      security: BEARER_AUTH,
      request: { headers: idempotencyHeaders, body: jsonRequestBody(NewDocumentRequest, exampleNewRequest) },
      responses: {
        201: jsonResponse(DocumentRequest, "The request", exampleRequest),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const call = c.get("call");
      const input = c.req.valid("json");
      const request = {
        patientId: input.patient_id,
        hospitalId: input.hospital_id ?? null,
        type: input.type ?? null,
        description: input.description,
        dateFrom: input.date_from ?? null,
        dateTo: input.date_to ?? null,
        purpose: input.purpose,
        expiresAt: input.expires_at ?? null,
      };
      const key = await readIdempotencyKey(c, "document_request.create");
      const create = (statements: Parameters<typeof createRequest>[2]) => createRequest(call, request, statements);
      return ok(c, await runOnce(call, key, input, create, (id) => getRequest(call, id)), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/document-requests",
      tags,
      summary: "List document requests",
      description:
        "A person: those about their records. Staff: those of their hospital, and those to it that the person has consented to, for " +
        "patients whom they see. Newest first.",
      security: BEARER_AUTH,
      request: { query: requestQuery },
      responses: { 200: pageResponse(DocumentRequest, "Newest first", exampleRequest), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listRequests(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/document-requests/hospitals",
      tags,
      summary: "List hospitals that can be asked for documents",
      description: "Active hospitals other than the caller's, newest first. The list is the same for every patient.",
      security: BEARER_AUTH,
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(Hospital, "Newest first", asked), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listAskableHospitals(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/document-requests/{document_request_id}",
      tags,
      summary: "Get a document request",
      security: BEARER_AUTH,
      request: { params },
      responses: { 200: jsonResponse(DocumentRequest, "The request", exampleRequest), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getRequest(c.get("call"), c.req.valid("param").document_request_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/document-requests/{document_request_id}/approve",
      tags,
      summary: "Approve a document request",
      description: "By the asked hospital, once the person has consented.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(DocumentRequest, "The request", { ...exampleIncoming, status: "approved" as const }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await approveRequest(c.get("call"), c.req.valid("param").document_request_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/document-requests/{document_request_id}/reject",
      tags,
      summary: "Reject a document request",
      description: "By the asked hospital, before it is approved. The reason is shown to the requesting hospital and the person.",
      security: BEARER_AUTH,
      request: { params, body: jsonRequestBody(Rejection, { reason: "No such document in our records" }) },
      responses: {
        200: jsonResponse(DocumentRequest, "The request", {
          ...{ ...exampleIncoming, ...exampleEnd },
          status: "rejected" as const,
          reason: "No such document in our records",
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { reason } = c.req.valid("json");
      return ok(c, await rejectRequest(c.get("call"), c.req.valid("param").document_request_id, reason));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/document-requests/{document_request_id}/fulfil",
      tags,
      summary: "Fulfil a document request",
      description:
        "By the asked hospital, once approved. The named documents, and no others, can be read by the requesting hospital while the " +
        "consent lives. They must be current and dated within the consent.",
      security: BEARER_AUTH,
      request: { params, body: jsonRequestBody(Fulfilment, { document_ids: [EXAMPLES.document] }) },
      responses: {
        200: jsonResponse(DocumentRequest, "The request", {
          ...{ ...exampleIncoming, ...exampleEnd },
          status: "fulfilled" as const,
          is_readable: true,
          document_ids: [EXAMPLES.document],
          version: 3,
        }),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { document_ids } = c.req.valid("json");
      return ok(c, await fulfilRequest(c.get("call"), c.req.valid("param").document_request_id, document_ids));
    },
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/document-requests/{document_request_id}/cancel",
      tags,
      summary: "Cancel a document request",
      description: "By the requesting hospital, before it is fulfilled. The consent ends with it.",
      security: BEARER_AUTH,
      request: { params },
      responses: {
        200: jsonResponse(DocumentRequest, "The request", {
          ...exampleRequest,
          ...exampleEnd,
          status: "cancelled" as const,
          version: 2,
        }),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await cancelRequest(c.get("call"), c.req.valid("param").document_request_id)),
  );
