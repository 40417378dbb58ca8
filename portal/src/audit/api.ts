// What the API says of the trail: who did what to whose data.
import { hc } from "hono/client";
import type { auditRoutes } from "../../../src/audit/routes.ts";
import { API, OPTIONS, pageOf } from "../api/client.ts";

const events = hc<typeof auditRoutes>(API, OPTIONS)["audit-events"];

type ListQuery = NonNullable<Parameters<typeof events.$get>[0]["query"]>;
export type AuditFilters = Pick<ListQuery, "actor_id" | "event" | "outcome" | "patient_id" | "from" | "to">;

export const listAuditEvents = (filters: AuditFilters, cursor: string | null, limit = 50) =>
  pageOf(events.$get({ query: { ...filters, limit: String(limit), ...(cursor && { cursor }) } }));
export type AuditEvent = Awaited<ReturnType<typeof listAuditEvents>>["items"][number];
export const OUTCOMES = ["success", "denied", "failed"] as const satisfies readonly AuditEvent["outcome"][];
