// What the portal's pages may do, wherever they are served: everything is ours, nothing is in the page itself.
export const PORTAL_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** First words of the portal's addresses (portal/src/router.tsx). */
export const PORTAL_ROOT_SEGMENTS: ReadonlySet<string> = new Set([
  "",
  "login",
  "invitation",
  "account",
  "ward",
  "alarms",
  "patients",
  "reports",
  "uploads",
  "devices",
  "admin",
  "me",
]);
