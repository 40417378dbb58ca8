// Routes of guardians: the code of the guardian, and what staff records, confirms and ends.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../http/pagination.ts";
import { limitConsentCode } from "../http/rate-limit.ts";
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
} from "../http/router.ts";
import { ClaimCode } from "../patients/record/claim-codes.ts";
import { GUARDIAN_GROUNDS, GUARDIAN_RELATIONSHIPS } from "../platform/db/vocabulary.ts";
import { endGuardian } from "./end-guardian.ts";
import { createGuardianCode } from "./guardian-codes.ts";
import { confirmGuardian, recordGuardian } from "./guardians.ts";
import { GUARDIAN_SIDES, listGuardians, listGuardianships } from "./list-guardians.ts";
import { time } from "./schemas.ts";

const tags = ["Consent"];
const patientParams = z.object({ patient_id: PatientRef });
const guardianshipParams = z.object({ guardianship_id: Id.openapi({ example: EXAMPLES.guardianship }) });

const GuardianCode = z.object({ code: z.string(), valid_until: Timestamp }).openapi("GuardianCode");
const Guardianship = z
  .object({
    guardianship_id: Id,
    state: z.enum(["recorded", "active", "ended", "expired"]).openapi({
      description: "recorded: a second member of staff has to confirm it; active: the guardian decides about consents",
    }),
    caller: z.enum(["staff", ...GUARDIAN_SIDES]).openapi({ description: "How the caller stands to it; person: it is over them" }),
    patient_id: Id,
    patient_name: z.string().nullable().openapi({ description: "For the guardian while it is active, else null" }),
    hospital_id: Id,
    hospital_name: z.string(),
    guardian_id: Id.openapi({ description: "The guardian's user account" }),
    guardian_name: z.string(),
    is_guardian_linked: z.boolean().openapi({
      description:
        "Whether the record is linked to the guardian's login too: they see it, and after the end decide as a person of it until DELETE /patients/{patient_id}/links/{user_id}",
    }),
    relationship: z.enum(GUARDIAN_RELATIONSHIPS),
    ground: z.enum(GUARDIAN_GROUNDS),
    reason: z.string().nullable().openapi({ description: "For staff alone" }),
    until: Timestamp,
    recorded_by: Id,
    recorded_at: Timestamp,
    confirmed_by: Id.nullable(),
    confirmed_at: Timestamp.nullable(),
    ended_by: Id.nullable().openapi({ description: "Null beside ended_at: by its date" }),
    ended_at: Timestamp.nullable(),
    end_reason: z.string().nullable().openapi({ description: "For staff alone" }),
  })
  .openapi("Guardianship");
const exampleRecorded = {
  guardianship_id: EXAMPLES.guardianship,
  state: "recorded" as const,
  caller: "staff" as const,
  patient_id: EXAMPLES.patient,
  patient_name: null,
  hospital_id: EXAMPLES.hospital,
  hospital_name: "City Hospital",
  guardian_id: EXAMPLES.user,
  guardian_name: "Asha Rao",
  is_guardian_linked: false,
  relationship: "parent" as const,
  ground: "minor" as const,
  reason: "Mother of a minor; birth certificate seen.",
  until: "2030-05-01T00:00:00.000Z",
  recorded_by: EXAMPLES.user,
  recorded_at: EXAMPLES.time,
  confirmed_by: null,
  confirmed_at: null,
  ended_by: null,
  ended_at: null,
  end_reason: null,
};
const exampleActive = {
  ...exampleRecorded,
  state: "active" as const,
  confirmed_by: EXAMPLES.user,
  confirmed_at: EXAMPLES.time,
};
const exampleEnded = {
  ...exampleActive,
  state: "ended" as const,
  ended_by: EXAMPLES.user,
  ended_at: EXAMPLES.time,
  end_reason: "The court has appointed somebody else.",
};
const reason = z.string().trim().min(3).max(500);

const NewGuardianship = z
  .strictObject({
    code: ClaimCode,
    relationship: z.enum(GUARDIAN_RELATIONSHIPS),
    ground: z
      .enum(GUARDIAN_GROUNDS)
      .openapi({ description: "Why somebody else decides: the person is not of age, or cannot decide" }),
    reason: reason.openapi({ description: "What was seen or decided, such as a court order" }),
    until: time.openapi({ description: "At most in 18 years, such as when a minor comes of age" }),
  })
  .openapi("NewGuardianship");

const GuardianshipEnd = z
  .strictObject({ reason: reason.optional().openapi({ description: "Required from staff, who alone see it" }) })
  .openapi("GuardianshipEnd");

export const guardianRoutes = createRouter()
  .openapi(
    createRoute({
      method: "post",
      path: "/guardian-codes",
      tags,
      summary: "Create a code that proves a guardian's presence",
      description:
        "By somebody who is to become a guardian. Staff enters it within 15 minutes. It replaces the caller's code before, and is shown in this response alone.",
      security: BEARER_AUTH,
      responses: {
        201: jsonResponse(GuardianCode, "The code", { code: "MFRG-GZDF-MZTW", valid_until: "2026-11-21T09:45:00.000Z" }),
        ...problemResponses(401, 403, 409),
      },
    }),
    async (c) => ok(c, await createGuardianCode(c.get("call")), 201),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/patients/{patient_id}/guardians",
      tags,
      summary: "Record a guardian",
      description:
        "Of a minor, or of somebody who cannot decide. The guardian decides about consents for this record once a second member of staff has confirmed it, and reads nothing of the record.",
      security: BEARER_AUTH,
      request: {
        params: patientParams,
        body: jsonRequestBody(NewGuardianship, {
          code: "MFRG-GZDF-MZTW",
          relationship: "parent",
          ground: "minor",
          reason: exampleRecorded.reason,
          until: exampleRecorded.until,
        }),
      },
      responses: {
        201: jsonResponse(Guardianship, "The guardianship", exampleRecorded),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      await limitConsentCode(c);
      const { patient_id } = c.req.valid("param");
      return ok(c, await recordGuardian(c.get("call"), patient_id, c.req.valid("json")), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/patients/{patient_id}/guardians",
      tags,
      summary: "List guardians of a patient",
      description: "Ended ones included, newest first.",
      security: BEARER_AUTH,
      request: { params: patientParams, query: z.strictObject(pageQuery) },
      responses: { 200: pageResponse(Guardianship, "Guardianships", exampleActive), ...problemResponses(401, 403, 404) },
    }),
    async (c) => okPage(c, await listGuardians(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/guardianships",
      tags,
      summary: "List the caller's guardianships",
      description: "Those that the caller holds and those over the caller, ended ones included, newest first.",
      security: BEARER_AUTH,
      request: {
        query: z.strictObject({
          ...pageQuery,
          caller: z
            .enum(GUARDIAN_SIDES)
            .optional()
            .openapi({ description: "guardian: those that the caller holds; person: those over them" }),
        }),
      },
      responses: {
        200: pageResponse(Guardianship, "Guardianships", {
          ...exampleActive,
          caller: "guardian",
          patient_name: "Ravi Rao",
          reason: null,
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listGuardianships(c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/guardianships/{guardianship_id}/confirm",
      tags,
      summary: "Confirm a guardian",
      description: "By another member of the hospital's staff than the one who recorded it.",
      security: BEARER_AUTH,
      request: { params: guardianshipParams },
      responses: {
        200: jsonResponse(Guardianship, "The guardianship", exampleActive),
        ...problemResponses(401, 403, 404, 409),
      },
    }),
    async (c) => ok(c, await confirmGuardian(c.get("call"), c.req.valid("param").guardianship_id)),
  )
  .openapi(
    createRoute({
      method: "post",
      path: "/guardianships/{guardianship_id}/end",
      tags,
      summary: "End a guardianship",
      description:
        "By staff of the hospital, with a reason; by the guardian; by the person, if the ground is minor and they are of age by the record's birth date, else 409 hospital_decides: they ask the hospital's privacy officers with POST /privacy-questions. What the guardian has granted holds until it is revoked or ends.",
      security: BEARER_AUTH,
      request: { params: guardianshipParams, body: jsonRequestBody(GuardianshipEnd, { reason: exampleEnded.end_reason }) },
      responses: {
        200: jsonResponse(Guardianship, "The guardianship", exampleEnded),
        ...problemResponses(401, 403, 404, 409, 413, 415),
      },
    }),
    async (c) => {
      const { guardianship_id } = c.req.valid("param");
      return ok(c, await endGuardian(c.get("call"), guardianship_id, c.req.valid("json").reason));
    },
  );
