// Routes of document requests.
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
] as const;
