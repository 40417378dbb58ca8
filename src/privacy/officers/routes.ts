// Routes of a hospital's privacy officers.
import { createRoute, z } from "@hono/zod-openapi";
import { BEARER_AUTH, createRouter, EXAMPLES, Id, jsonResponse, ok, problemResponses, Uuid } from "../../http/router.ts";
import { STAFF_ROLES } from "../../platform/db/schema.ts";
import { addOfficer, listOfficers, removeOfficer } from "./officers.ts";

const tags = ["Privacy"];
const Officers = z
  .object({
    hospital_id: Id,
    officers: z.array(z.object({ user_id: Id, full_name: z.string(), role: z.enum(STAFF_ROLES) })),
  })
  .openapi("PrivacyOfficers");
const OfficerRef = z.object({ user_id: Id, hospital_id: Id, is_privacy_officer: z.boolean() }).openapi("PrivacyOfficerRef");
const exampleRef = { user_id: EXAMPLES.user, hospital_id: EXAMPLES.hospital, is_privacy_officer: true };

const hospitalParam = z.object({ hospital_id: Uuid.openapi({ example: EXAMPLES.hospital }) });
const memberParam = hospitalParam.extend({ user_id: Uuid.openapi({ example: EXAMPLES.user }) });

export const privacyOfficerRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/hospitals/{hospital_id}/privacy-officers",
      tags,
      summary: "List privacy officers",
      security: BEARER_AUTH,
      request: { params: hospitalParam },
      responses: {
        200: jsonResponse(Officers, "At most 20, ordered by user id", {
          hospital_id: EXAMPLES.hospital,
          officers: [{ user_id: EXAMPLES.user, full_name: "Ada Osei", role: "nurse" }],
        }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await listOfficers(c.get("call"), c.req.valid("param").hospital_id)),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/privacy-officers/{user_id}",
      tags,
      summary: "Add a privacy officer",
      description:
        "Lets a member of the hospital review emergency access and questions of patients, with their role unchanged. A hospital has at most 20. A repetition changes nothing.",
      security: BEARER_AUTH,
      request: { params: memberParam },
      responses: { 200: jsonResponse(OfficerRef, "The member", exampleRef), ...problemResponses(401, 403, 404, 409) },
    }),
    async (c) => {
      const { hospital_id, user_id } = c.req.valid("param");
      await addOfficer(c.get("call"), hospital_id, user_id);
      return ok(c, { user_id, hospital_id, is_privacy_officer: true });
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}/privacy-officers/{user_id}",
      tags,
      summary: "Remove a privacy officer",
      description: "The person stays a member of the hospital.",
      security: BEARER_AUTH,
      request: { params: memberParam },
      responses: {
        200: jsonResponse(OfficerRef, "The member", { ...exampleRef, is_privacy_officer: false }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { hospital_id, user_id } = c.req.valid("param");
      await removeOfficer(c.get("call"), hospital_id, user_id);
      return ok(c, { user_id, hospital_id, is_privacy_officer: false });
    },
  );
