// The portal's Content-Security-Policy and its root paths, shared by all places that serve it: no inline code, no foreign origins.
import { PORTAL_AREAS } from "./portal-areas.ts";

export const PORTAL_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Of the service worker that shows push messages: it loads nothing. */
export const PUSH_WORKER_CSP = "default-src 'none'";
export const PUSH_WORKER_PATH = "/portal/push-worker.js";

/** First path segments of the portal's routes (portal/src/router.tsx). */
export const PORTAL_ROOT_SEGMENTS: ReadonlySet<string> = new Set(Object.keys(PORTAL_AREAS));
