// What the portal's pages may do, wherever they are served: everything is ours, nothing is in the page itself.
import { PORTAL_AREAS } from "./portal-areas.ts";

export const PORTAL_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** First segments of the portal's addresses. */
export const PORTAL_ROOT_SEGMENTS: ReadonlySet<string> = new Set(Object.keys(PORTAL_AREAS));
