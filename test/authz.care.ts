// Who may call the routes of care (authz.care-a.ts to authz.care-g.ts).
import { CARE_ROUTES_A } from "./authz.care-a.ts";
import { CARE_ROUTES_B } from "./authz.care-b.ts";
import { CARE_ROUTES_C } from "./authz.care-c.ts";
import { CARE_ROUTES_D } from "./authz.care-d.ts";
import { CARE_ROUTES_E } from "./authz.care-e.ts";
import { CARE_ROUTES_F } from "./authz.care-f.ts";
import { CARE_ROUTES_G } from "./authz.care-g.ts";
import type { RouteRule } from "./authz.matrix.ts";

export const CARE_ROUTES: Record<string, RouteRule> = {
  ...CARE_ROUTES_A,
  ...CARE_ROUTES_B,
  ...CARE_ROUTES_C,
  ...CARE_ROUTES_D,
  ...CARE_ROUTES_E,
  ...CARE_ROUTES_F,
  ...CARE_ROUTES_G,
};
