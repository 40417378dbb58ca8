// Who may call the routes of appointments. Without imports from src/ or of the Worker: Node reads it too.
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES_B: Record<string, RouteRule> = {};
