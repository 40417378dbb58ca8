// API calls for the audit log.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readPage } from "../platform/api/client.ts";

const auditEventsApi = hc<typeof auditRoutes>(API_BASE, CLIENT_OPTIONS)["audit-events"];

type ListQuery = NonNullable<Parameters<typeof auditEventsApi.$get>[0]["query"]>;
export type AuditFilters = Pick<ListQuery, "actor_id" | "event" | "outcome" | "patient_id" | "from" | "to">;

export const listAuditEvents = (filters: AuditFilters, cursor: string | null, limit = 50) =>
  readPage(auditEventsApi.$get({ query: { ...filters, limit: String(limit), ...(cursor && { cursor }) } }));
export type AuditEvent = Awaited<ReturnType<typeof listAuditEvents>>["items"][number];
export const OUTCOMES = ["success", "denied", "failed"] as const satisfies readonly AuditEvent["outcome"][];
