// What is one's own: the pages of patients, and everybody's account.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { words } from "../search-words.ts";
import { house } from "./house.ts";

const ofHouse = { getParentRoute: () => house } as const;
export const ownPages = [
  createRoute({ ...ofHouse, path: "/me", component: lazyRouteComponent(() => import("../me/home-page.tsx"), "HomePage") }),
  createRoute({
    ...ofHouse,
    path: "/me/reports",
    component: lazyRouteComponent(() => import("../me/my-reports-page.tsx"), "MyReportsPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/reports/$reportId",
    validateSearch: words("page"),
    component: lazyRouteComponent(() => import("../me/my-report-page.tsx"), "MyReportPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/vitals",
    validateSearch: words("code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("../me/my-vitals-page.tsx"), "MyVitalsPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/devices",
    component: lazyRouteComponent(() => import("../me/my-devices-page.tsx"), "MyDevicesPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/access",
    validateSearch: words("from", "to", "mine"),
    component: lazyRouteComponent(() => import("../me/my-access-page.tsx"), "MyAccessPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/account",
    component: lazyRouteComponent(() => import("../session/account-page.tsx"), "AccountPage"),
  }),
] as const;
