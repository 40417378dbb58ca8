// Who may call the routes of written and signed reports. Without imports from src/ or of the Worker: Node reads it too.
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES_E: Record<string, RouteRule> = {};
