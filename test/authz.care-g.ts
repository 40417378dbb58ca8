// Who may call the routes of intake. Without imports from src/ or of the Worker: Node reads it too.
import { MEMBERS, PUBLIC, type RouteRule, rule } from "./authz.matrix.ts";

export const CARE_ROUTES_G: Record<string, RouteRule> = {
  "POST /api/v1/intake-links": rule("own", MEMBERS),
  "GET /api/v1/intake-links": rule("own", MEMBERS),
  "DELETE /api/v1/intake-links/:intake_link_id": rule("staff", MEMBERS),
  "POST /api/v1/intake/open": PUBLIC,
  "POST /api/v1/intake/submit": PUBLIC,
  "POST /api/v1/intake-submissions": rule("patient", ["patient", ...MEMBERS]),
  "GET /api/v1/intake-submissions": rule("own", MEMBERS),
  "GET /api/v1/intake-submissions/:submission_id": rule("patient", MEMBERS),
  // The change of the record, and the end of the submission.
  "POST /api/v1/intake-submissions/:submission_id/take": rule("patient", MEMBERS, 2),
  "POST /api/v1/intake-submissions/:submission_id/reject": rule("patient", MEMBERS),
};
