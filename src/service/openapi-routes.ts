// The OpenAPI 3.1 document, generated from the validation schemas, and its route.
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
      description:
        "Patient records, reports and vital signs for clinics. Clinical features are decision support, not a diagnosis.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
    servers: [
      { url: "/", description: "The deployment that serves this document: local, staging or production", "x-internal": false },
    ],
  });
  return completeDocument({ ...document, paths: addAliasPaths(document.paths ?? {}) });
}

export function openApiRoutes(app: OpenAPIHono<AppEnv>) {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An access token (valid for 15 minutes by default), an API key or a device credential",
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
    // Routes never change within an isolate.
    documentJson ??= JSON.stringify(buildOpenApiDocument(app));
    return c.body(documentJson, 200, { "Content-Type": "application/json" });
  });
}
