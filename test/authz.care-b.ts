// Who may call the routes of appointments. Without imports from src/ or of the Worker: Node reads it too.
import { EVERYONE, guarded, MEMBERS, type RouteRule, rule, shared } from "./authz.matrix.ts";

const PERSON_AND_MEMBERS = ["patient", ...MEMBERS] as const;
/** Staff take the step; the person sees the appointment, and may not. */
const staffStep = guarded(rule("edit", PERSON_AND_MEMBERS));

export const CARE_ROUTES_B: Record<string, RouteRule> = {
  "POST /api/v1/appointments": guarded(shared("patient", PERSON_AND_MEMBERS, "appointment:create")),
  "GET /api/v1/appointments": guarded(shared("own", EVERYONE, "appointment:read")),
  "GET /api/v1/appointments/:appointment_id": guarded(shared("patient", EVERYONE, "appointment:read")),
  "PATCH /api/v1/appointments/:appointment_id": staffStep,
  "DELETE /api/v1/appointments/:appointment_id": staffStep,
  "POST /api/v1/appointments/:appointment_id/confirm": staffStep,
  "POST /api/v1/appointments/:appointment_id/no-show": staffStep,
  "POST /api/v1/appointments/:appointment_id/reschedule": staffStep,
  "POST /api/v1/appointments/:appointment_id/cancel": guarded(rule("patient", PERSON_AND_MEMBERS)),
};
