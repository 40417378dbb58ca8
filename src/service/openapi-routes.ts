// The OpenAPI 3.1 description, made from the schemas that validate.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { readActor } from "../accounts/sessions/authenticate.ts";
import { addAliasPaths } from "../http/path-aliases.ts";
import { limitByAddress } from "../http/request-middleware.ts";
import { type AppEnv, createRouter } from "../http/router.ts";
import { docsMode, requireDocsAccess } from "./docs-pages.ts";
import { completeDocument } from "./openapi-document.ts";

export function buildOpenApiDocument(app: OpenAPIHono<AppEnv>) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "EdgeCare API",
      version: "1.0.0",
      description: "Reports, vitals and records of clinics. Clinical features are decision support, not a diagnosis.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [
      { url: "/", description: "The production, staging or local deployment that serves this page", "x-internal": false },
    ],
  });
  return completeDocument({ ...document, paths: addAliasPaths(document.paths ?? {}) });
}

export function openApiRoutes(app: OpenAPIHono<AppEnv>) {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An access token (15 minutes), or a device credential",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "metrics", {
    type: "http",
    scheme: "bearer",
    description: "The deployment's METRICS_TOKEN",
  });
  let documentJson: string | undefined;
  return createRouter().get("/openapi.json", limitByAddress, async (c) => {
    const call = c.get("call");
    if (docsMode(c.env) === "staff") {
      const actor = await readActor(c.env, call.keys, c.req.header("Authorization"), call.actor.via, call.now);
      c.set("call", { ...call, actor });
    }
    await requireDocsAccess(c);
    // The routes do not change while the isolate lives.
    documentJson ??= JSON.stringify(buildOpenApiDocument(app));
    return c.body(documentJson, 200, { "Content-Type": "application/json" });
  });
}
