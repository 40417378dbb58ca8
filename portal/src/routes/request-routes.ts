// Routes of document requests and of intakes for review.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchParams } from "../platform/search-params.ts";
import { signedInLayout } from "./base-routes.ts";

const underSignedIn = { getParentRoute: () => signedInLayout } as const;
export const requestRoutes = [
  createRoute({
    ...underSignedIn,
    path: "/requests",
    validateSearch: searchParams("direction", "status"),
    component: lazyRouteComponent(() => import("../document-requests/requests-page.tsx"), "RequestsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/requests/$requestId",
    component: lazyRouteComponent(() => import("../document-requests/request-page.tsx"), "RequestPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/document-requests/$requestId",
    component: lazyRouteComponent(() => import("../document-requests/request-link-page.tsx"), "RequestLinkPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/intake-review",
    validateSearch: searchParams("state"),
    component: lazyRouteComponent(() => import("../patients/intake/intake-review-page.tsx"), "IntakeReviewPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/intake-review/$submissionId",
    component: lazyRouteComponent(() => import("../patients/intake/intake-submission-page.tsx"), "IntakeSubmissionPage"),
  }),
] as const;
