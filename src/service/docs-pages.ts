// Documentation pages: Swagger UI and Redoc, served locally, with access by the DOCS setting.
import type { Context } from "hono";
import { requireRole } from "../access/access.ts";
import type { AppEnv } from "../http/router.ts";
import { isProduction } from "../platform/config.ts";
import { ApiError } from "../platform/errors.ts";

const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function docsMode(env: Env): "public" | "staff" | "off" {
  if (env.DOCS === "public" || env.DOCS === "staff" || env.DOCS === "off") return env.DOCS;
  return isProduction(env) ? "staff" : "public";
}

/** The page contains nothing of the API. In `staff` mode its script asks for an access token before it loads the document. */
export function renderDocsPage(c: Context<AppEnv>, kind: "docs" | "redoc") {
  if (docsMode(c.env) === "off") throw new ApiError("not_found");
  const styles = kind === "docs" ? `<link rel="stylesheet" href="/assets/swagger-ui.css">` : "";
  const library = kind === "docs" ? "/assets/swagger-ui-bundle.js" : "/assets/redoc.standalone.js";
  return c.html(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>EdgeCare API</title>${styles}</head><body><div id="api"></div>
<script src="${library}"></script><script src="/assets/${kind}.js"></script></body></html>`,
    200,
    { "Content-Security-Policy": DOCS_CSP },
  );
}

/** @throws ApiError not_found (off), unauthenticated or forbidden (staff) */
export async function requireDocsAccess(c: Context<AppEnv>): Promise<void> {
  const mode = docsMode(c.env);
  if (mode === "off") throw new ApiError("not_found");
  if (mode === "staff") await requireRole(c.get("call"), "docs:read");
}
