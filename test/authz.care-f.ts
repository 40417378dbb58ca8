// Who may call the routes of exports. Without imports from src/ or of the Worker: Node reads it too.
import { consentable, EVERYONE, type Role, type RouteRule, rule, shared } from "./authz.matrix.ts";

/** Who may take a whole record along. */
const EXPORTERS: readonly Role[] = ["patient", "doctor", "hospital_admin"];

export const CARE_ROUTES_F: Record<string, RouteRule> = {
  "GET /api/v1/reports/:report_id/export": consentable(shared("report", EVERYONE, "report:read")),
  "POST /api/v1/patients/:patient_id/export": rule("patient", EXPORTERS),
  "GET /api/v1/patients/:patient_id/export": rule("patient", EXPORTERS),
  "GET /api/v1/patients/:patient_id/export/:export_id": rule("patient", EXPORTERS),
  "GET /api/v1/patients/:patient_id/export/:export_id/file": rule("patient", EXPORTERS),
};
