// Who may call the routes of exports. Without imports from src/ or of the Worker: Node reads it too.
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES_F: Record<string, RouteRule> = {};
