// Who may call the routes of availability. Without imports from src/ or of the Worker: Node reads it too.
import { EVERYONE, MANAGERS, type RouteRule, rule, STAFF, shared } from "./authz.matrix.ts";

export const CARE_ROUTES_A: Record<string, RouteRule> = {
  "POST /api/v1/locations": rule("own", MANAGERS),
  "GET /api/v1/locations": rule("own", EVERYONE),
  "GET /api/v1/locations/:location_id": rule("hospital", EVERYONE),
  "PATCH /api/v1/locations/:location_id": rule("staff", MANAGERS),
  "GET /api/v1/hospitals/:hospital_id/care-settings": rule("hospital", EVERYONE),
  "PUT /api/v1/hospitals/:hospital_id/care-settings": rule("staff", MANAGERS),
  "POST /api/v1/hospitals/:hospital_id/closures": rule("staff", MANAGERS),
  "DELETE /api/v1/hospitals/:hospital_id/closures/:exception_id": rule("staff", MANAGERS),
  "GET /api/v1/practitioners/:practitioner_id/availability": rule("hospital", EVERYONE),
  "PUT /api/v1/practitioners/:practitioner_id/availability": rule("profile", STAFF),
  "POST /api/v1/practitioners/:practitioner_id/availability/exceptions": rule("profile", STAFF),
  "DELETE /api/v1/practitioners/:practitioner_id/availability/exceptions/:exception_id": rule("profile", STAFF),
  "GET /api/v1/appointments/slots": shared("own", EVERYONE, "appointment:read"),
};
