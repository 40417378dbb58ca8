// Who may call the routes of exports. Without imports from src/ or of the Worker: Node reads it too.
import { consentable, EVERYONE, type RouteRule, shared } from "./authz.matrix.ts";

export const CARE_ROUTES_F: Record<string, RouteRule> = {
  "GET /api/v1/reports/:report_id/export": consentable(shared("report", EVERYONE, "report:read")),
};
