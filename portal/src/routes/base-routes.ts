// Root routes: sign-in, the signed-in layout and the start page.
import { createRootRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { LoginPage } from "../accounts/session/login-page.tsx";
import { currentSession } from "../accounts/session/session.ts";
import { searchParams } from "../platform/search-params.ts";
import { AppShell } from "../shell/app-shell.tsx";
import { landingPath } from "../shell/navigation.ts";
import { NotFound } from "../shell/not-found.tsx";

export const rootRoute = createRootRoute({ notFoundComponent: NotFound });

/** Whoever is signed in needs neither of the pages that lead to it. */
function redirectSignedIn(): void {
  const session = currentSession();
  if (session.status === "signed_in") throw redirect({ to: landingPath(session.me.role) });
}

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: searchParams("next"),
  beforeLoad: redirectSignedIn,
  component: LoginPage,
});

export const registerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/register",
  beforeLoad: redirectSignedIn,
  component: lazyRouteComponent(() => import("../accounts/session/register-page.tsx"), "RegisterPage"),
});

export const forgotRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/forgot",
  beforeLoad: redirectSignedIn,
  component: lazyRouteComponent(() => import("../accounts/email/forgot-page.tsx"), "ForgotPage"),
});

export const resetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reset",
  component: lazyRouteComponent(() => import("../accounts/email/reset-page.tsx"), "ResetPage"),
});

export const verifyEmailRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/verify-email",
  component: lazyRouteComponent(() => import("../accounts/email/verify-email-page.tsx"), "VerifyEmailPage"),
});

/** Invitations, as the two pages above: the token is in the fragment (#), which is never sent to a server. */
export const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invitation",
  component: lazyRouteComponent(() => import("../accounts/session/invitation-page.tsx"), "InvitationPage"),
});

/** The form of an intake link, as the pages above. */
export const intakeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/intake",
  component: lazyRouteComponent(() => import("../patients/intake/intake-page.tsx"), "IntakePage"),
});

export const signedInLayout = createRoute({
  getParentRoute: () => rootRoute,
  id: "signed-in",
  beforeLoad: ({ location }) => {
    if (currentSession().status === "signed_out") throw redirect({ to: "/login", search: { next: location.href } });
  },
  component: AppShell,
});

export const indexRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/",
  beforeLoad: () => {
    const session = currentSession();
    if ("me" in session) throw redirect({ to: landingPath(session.me.role), replace: true });
  },
});
