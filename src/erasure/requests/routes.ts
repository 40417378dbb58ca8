// Routes of erasures and of legal holds on records.
import { createRoute, z } from "@hono/zod-openapi";
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
} from "../../http/router.ts";
import { ERASURE_STATES } from "../../platform/db/vocabulary.ts";
import { approveErasure, rejectErasure } from "./decide-erasure.ts";
import { getCertificate, getErasure } from "./erasure.ts";
import { listHolds, releaseHold, setHold } from "./holds.ts";
import { listErasures } from "./list-erasures.ts";
import { requestErasure } from "./request-erasure.ts";
import {
  Erasure,
  ErasureCertificate,
  exampleApproved,
  exampleCertificate,
  exampleErasure,
  exampleHold,
  exampleReason,
  exampleRejected,
  exampleReleased,
  Hold,
  Reason,
} from "./schemas.ts";

const tags = ["Erasure"];
const patientParam = z.object({ patient_id: PatientRef });
const erasureParam = z.object({ erasure_id: Id.openapi({ example: EXAMPLES.erasure }) });
const changeProblems = problemResponses(401, 403, 404, 409, 413, 415);

export const erasureRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/erasure",
      tags,
      summary: "Request the erasure of a patient",
      description:
        "By the person or by an administrator of the hospital. Requires a sign-in of the last 10 minutes. Somebody else decides; until " +
        "then nothing changes.",
      security: BEARER_AUTH,
      request: { params: patientParam, body: jsonRequestBody(Reason, exampleReason) },
      responses: { 201: jsonResponse(Erasure, "The request", exampleErasure), ...changeProblems },
    }),
    async (c) => ok(c, await requestErasure(c.get("call"), c.req.valid("param").patient_id, c.req.valid("json").reason), 201),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/erasures",
      tags,
      summary: "List erasures",
      description: "Of the caller's hospital; patients see those of their own records.",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, state: z.enum(ERASURE_STATES).optional(), patient_id: Id.optional() }) },
      responses: { 200: pageResponse(Erasure, "Newest first", exampleErasure), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listErasures(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/erasures/{erasure_id}",
      tags,
      summary: "Get an erasure",
      security: BEARER_AUTH,
      request: { params: erasureParam },
      responses: { 200: jsonResponse(Erasure, "The erasure", exampleErasure), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getErasure(c.get("call"), c.req.valid("param").erasure_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/erasures/{erasure_id}/approve",
      tags,
      summary: "Approve an erasure",
      description:
        "Requires a sign-in with a second step in the last 10 minutes, by somebody other than the one who requested it. The record is " +
        "locked at once and erased on the date of `erase_on`, unless a legal hold is open then.",
      security: BEARER_AUTH,
      request: { params: erasureParam },
      responses: { 200: jsonResponse(Erasure, "The erasure", exampleApproved), ...problemResponses(401, 403, 404, 409) },
    }),
    async (c) => ok(c, await approveErasure(c.env, c.get("call"), c.req.valid("param").erasure_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/erasures/{erasure_id}/reject",
      tags,
      summary: "Reject an erasure",
      description:
        "Also ends the lock of a record whose erasure was approved and has not begun; the record stays inactive. Requires a sign-in with " +
        "a second step in the last 10 minutes.",
      security: BEARER_AUTH,
      request: { params: erasureParam, body: jsonRequestBody(Reason, { reason: "The request was withdrawn." }) },
      responses: { 200: jsonResponse(Erasure, "The erasure", exampleRejected), ...changeProblems },
    }),
    async (c) => ok(c, await rejectErasure(c.get("call"), c.req.valid("param").erasure_id, c.req.valid("json").reason)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/erasures/{erasure_id}/certificate",
      tags,
      summary: "Get the certificate of an erasure",
      description: "What was deleted, by store. The signature is of `signed_text`, in UTF-8.",
      security: BEARER_AUTH,
      request: { params: erasureParam },
      responses: {
        200: jsonResponse(ErasureCertificate, "The certificate", exampleCertificate),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getCertificate(c.get("call"), c.req.valid("param").erasure_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/hold",
      tags,
      summary: "Set a legal hold on a patient's record",
      description: "While it is open, the record is not erased.",
      security: BEARER_AUTH,
      request: { params: patientParam, body: jsonRequestBody(Reason, { reason: exampleHold.reason }) },
      responses: { 201: jsonResponse(Hold, "The hold", exampleHold), ...changeProblems },
    }),
    async (c) => ok(c, await setHold(c.get("call"), c.req.valid("param").patient_id, c.req.valid("json").reason), 201),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/hold/release",
      tags,
      summary: "Release the legal hold on a patient's record",
      security: BEARER_AUTH,
      request: { params: patientParam, body: jsonRequestBody(Reason, { reason: "The case is closed." }) },
      responses: { 200: jsonResponse(Hold, "The hold", exampleReleased), ...changeProblems },
    }),
    async (c) => ok(c, await releaseHold(c.get("call"), c.req.valid("param").patient_id, c.req.valid("json").reason)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patient-holds",
      tags,
      summary: "List legal holds on records",
      security: BEARER_AUTH,
      request: { query: z.strictObject({ ...pageQuery, patient_id: Id.optional() }) },
      responses: { 200: pageResponse(Hold, "Newest first", exampleHold), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listHolds(c.get("call"), c.req.valid("query"))),
  );
