// Routes of emergency access, and of privacy officers.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchParams } from "../platform/search-params.ts";
import { signedInLayout } from "./base-routes.ts";

const underSignedIn = { getParentRoute: () => signedInLayout } as const;
export const privacyRoutes = [
  createRoute({
    ...underSignedIn,
    path: "/privacy",
    validateSearch: searchParams("status"),
    component: lazyRouteComponent(() => import("../privacy/reviews-page.tsx"), "ReviewsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/privacy/$reviewId",
    component: lazyRouteComponent(() => import("../privacy/review-page.tsx"), "ReviewPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/emergency",
    validateSearch: searchParams("status"),
    component: lazyRouteComponent(() => import("../emergency/emergency-page.tsx"), "EmergencyPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/emergency/$accessId",
    component: lazyRouteComponent(() => import("../emergency/access-page.tsx"), "EmergencyAccessPage"),
  }),
] as const;
