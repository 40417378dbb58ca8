// What every address begins with: the door, the house of who is signed in, and their first page.
import { createRootRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { words } from "../search-words.ts";
import { LoginPage } from "../session/login-page.tsx";
import { current } from "../session/session.ts";
import { landingOf } from "../shell/navigation.ts";
import { NotFound } from "../shell/not-found.tsx";
import { SignedIn } from "../shell/signed-in.tsx";

export const root = createRootRoute({ notFoundComponent: NotFound });

export const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: words("next"),
  beforeLoad: () => {
    const session = current();
    if (session.status === "signed_in") throw redirect({ to: landingOf(session.me.role) });
  },
  component: LoginPage,
});

/** Links of invitations and of new passwords: what they carry stands behind the #, which no server sees. */
export const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("../session/invitation-page.tsx"), "InvitationPage"),
});

export const house = createRoute({
  getParentRoute: () => root,
  id: "house",
  beforeLoad: ({ location }) => {
    if (current().status === "signed_out") throw redirect({ to: "/login", search: { next: location.href } });
  },
  component: SignedIn,
});

export const start = createRoute({
  getParentRoute: () => house,
  path: "/",
  beforeLoad: () => {
    const session = current();
    if ("me" in session) throw redirect({ to: landingOf(session.me.role), replace: true });
  },
});
