// Who may call the routes of encounters, the timeline and the dashboard. Without imports from src/ or of the Worker: Node reads it too.
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES_D: Record<string, RouteRule> = {};
