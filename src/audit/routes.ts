// Routes: audit log (FHIR AuditEvent).
import { createRoute, z } from "@hono/zod-openapi";
import { pageQuery } from "../http/pagination.ts";
import { BEARER_AUTH, createRouter, EXAMPLES, okPage, pageResponse, problemResponses } from "../http/router.ts";
import { listAuditEvents } from "./list-audit-events.ts";
import { AuditEvent, auditFilters } from "./schemas.ts";

export const auditRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/audit-events",
    tags: ["AuditEvent"],
    summary: "List audit events",
    security: BEARER_AUTH,
    request: {
      query: z.strictObject({
        limit: pageQuery.limit,
        cursor: pageQuery.cursor,
        ...auditFilters,
      }),
    },
    responses: {
      200: pageResponse(AuditEvent, "Newest first", {
        id: EXAMPLES.request,
        log: EXAMPLES.hospital,
        seq: 4711,
        recorded: EXAMPLES.time,
        event: "report.download",
        action: "R",
        outcome: "success",
        reason: null,
        actor: { kind: "user", id: EXAMPLES.user, role: "doctor", name: "Anita Rao" },
        hospital_id: EXAMPLES.hospital,
        actor_hospital_id: null,
        basis: "care_team",
        purpose: "TREAT",
        entity: { type: "report", id: EXAMPLES.report },
        request_id: EXAMPLES.request,
        ip: "203.0.113.7",
        detail: { via: "link" },
      }),
      ...problemResponses(401, 403),
    },
  }),
  async (c) => okPage(c, await listAuditEvents(c.env, c.get("call"), c.req.valid("query"))),
);
