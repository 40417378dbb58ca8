// Who may call the routes of intake forms, matches and merges. Without imports from src/ or of the Worker: Node reads it too.
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES_G: Record<string, RouteRule> = {};
