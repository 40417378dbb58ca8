// Routes: the history of a patient's identity.
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import { BEARER_AUTH, createRouter, EXAMPLES, Id, okPage, pageResponse, problemResponses, Timestamp } from "../../http/router.ts";
import { patientParam } from "../schemas.ts";
import { FieldChange, listPatientChanges } from "./changes.ts";

const Change = z
  .object({
    change_id: Id,
    changed_by: z.object({
      kind: z.enum(["user", "app"]),
      id: z.string(),
      role: z.string(),
      name: z.string().nullable().openapi({ description: "For staff, and for one's own changes" }),
    }),
    changed_at: Timestamp,
    reason: z.string().nullable(),
    fields: z.array(FieldChange).openapi({ description: "Empty for the reason of a registration" }),
  })
  .openapi("PatientChangeRecord");

export const changeRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/patients/{patient_id}/changes",
    tags: ["Patient"],
    summary: "List changes of a patient's identity",
    description:
      "Names, sex, birth date, contacts, address, Aadhaar's last four, ABHA number, monitoring and the state of the record.",
    security: BEARER_AUTH,
    request: { params: patientParam, query: z.strictObject(pageQuery) },
    responses: {
      200: pageResponse(Change, "Newest first", {
        change_id: EXAMPLES.request,
        changed_by: { kind: "user", id: EXAMPLES.user, role: "nurse", name: "Anita Desai" },
        changed_at: EXAMPLES.time,
        reason: "Moved",
        fields: [{ field: "address", before: "12 Lake Road, Pune", after: "4 Hill Street, Pune" }],
      }),
      ...problemResponses(401, 403, 404),
    },
  }),
  async (c) => okPage(c, await listPatientChanges(c.get("call"), c.req.valid("param").patient_id, c.req.valid("query"))),
);
