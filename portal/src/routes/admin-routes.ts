// Routes of administrators.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchParams } from "../platform/search-params.ts";
import { signedInLayout } from "./base-routes.ts";

const underSignedIn = { getParentRoute: () => signedInLayout } as const;
export const adminRoutes = [
  createRoute({
    ...underSignedIn,
    path: "/admin",
    component: lazyRouteComponent(() => import("../service/overview-page.tsx"), "AdminOverviewPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/users",
    validateSearch: searchParams("role", "state", "hospital"),
    component: lazyRouteComponent(() => import("../accounts/users/users-page.tsx"), "UsersPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/users/$userId",
    component: lazyRouteComponent(() => import("../accounts/users/user-page.tsx"), "UserPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/practitioners",
    validateSearch: searchParams("specialty", "role"),
    component: lazyRouteComponent(() => import("../organization/practitioners/practitioners-page.tsx"), "PractitionersPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/hospitals",
    component: lazyRouteComponent(() => import("../organization/hospitals/hospitals-page.tsx"), "HospitalsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/hospitals/$hospitalId",
    component: lazyRouteComponent(() => import("../organization/hospitals/hospital-page.tsx"), "HospitalPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/devices",
    validateSearch: searchParams("kind", "hospital", "active"),
    component: lazyRouteComponent(() => import("../devices/devices-page.tsx"), "DevicesPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/rules",
    validateSearch: searchParams("ward"),
    component: lazyRouteComponent(() => import("../monitoring/alert-rules/rules-page.tsx"), "RulesPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/api-keys",
    validateSearch: searchParams("hospital"),
    component: lazyRouteComponent(() => import("../accounts/api-keys/api-keys-page.tsx"), "ApiKeysPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/webhooks",
    validateSearch: searchParams("hospital"),
    component: lazyRouteComponent(() => import("../notifications/webhooks/webhooks-page.tsx"), "WebhooksPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/audit",
    validateSearch: searchParams("actor", "action", "outcome", "patient", "hospital", "abroad", "from", "to"),
    component: lazyRouteComponent(() => import("../audit/audit-page.tsx"), "AuditPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/deliveries",
    validateSearch: searchParams("channel", "status"),
    component: lazyRouteComponent(() => import("../notifications/deliveries-page.tsx"), "DeliveriesPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/retention",
    validateSearch: searchParams("hospital"),
    component: lazyRouteComponent(() => import("../erasure/retention-page.tsx"), "RetentionPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/holds",
    component: lazyRouteComponent(() => import("../erasure/holds-page.tsx"), "HoldsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/erasures",
    validateSearch: searchParams("state"),
    component: lazyRouteComponent(() => import("../erasure/erasures-page.tsx"), "ErasuresPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/erasures/$erasureId",
    component: lazyRouteComponent(() => import("../erasure/erasure-page.tsx"), "ErasurePage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/keys",
    component: lazyRouteComponent(() => import("../service/keys/keys-page.tsx"), "KeysPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/admin/health",
    component: lazyRouteComponent(() => import("../service/health-page.tsx"), "HealthPage"),
  }),
] as const;
