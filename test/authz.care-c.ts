// Who may call the routes of the clinic day, calendar addresses, video and payments. Without imports from src/ or of the Worker: Node reads it too.
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES_C: Record<string, RouteRule> = {};
