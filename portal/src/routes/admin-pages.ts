// The pages of administrators.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { words } from "../search-words.ts";
import { house } from "./house.ts";

const ofHouse = { getParentRoute: () => house } as const;
export const adminPages = [
  createRoute({
    ...ofHouse,
    path: "/admin",
    component: lazyRouteComponent(() => import("../admin/overview-page.tsx"), "AdminOverviewPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/users",
    validateSearch: words("role", "state", "hospital"),
    component: lazyRouteComponent(() => import("../users/users-page.tsx"), "UsersPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/users/$userId",
    component: lazyRouteComponent(() => import("../users/user-page.tsx"), "UserPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/practitioners",
    validateSearch: words("specialty", "role"),
    component: lazyRouteComponent(() => import("../practitioners/practitioners-page.tsx"), "PractitionersPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/hospitals",
    component: lazyRouteComponent(() => import("../hospitals/hospitals-page.tsx"), "HospitalsPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/hospitals/$hospitalId",
    component: lazyRouteComponent(() => import("../hospitals/hospital-page.tsx"), "HospitalPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/devices",
    validateSearch: words("kind", "hospital", "active"),
    component: lazyRouteComponent(() => import("../devices/devices-page.tsx"), "DevicesPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/rules",
    validateSearch: words("ward"),
    component: lazyRouteComponent(() => import("../rules/rules-page.tsx"), "RulesPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/api-keys",
    validateSearch: words("hospital"),
    component: lazyRouteComponent(() => import("../api-keys/api-keys-page.tsx"), "ApiKeysPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/audit",
    validateSearch: words("actor", "action", "outcome", "patient", "from", "to"),
    component: lazyRouteComponent(() => import("../audit/audit-page.tsx"), "AuditPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/health",
    component: lazyRouteComponent(() => import("../admin/health-page.tsx"), "HealthPage"),
  }),
] as const;
