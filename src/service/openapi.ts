// The OpenAPI 3.1 description, made from the schemas that validate.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { actorOf } from "../accounts/sessions/authenticate.ts";
import { withAliases } from "../http/aliases.ts";
import { limitAddress } from "../http/request.ts";
import { type AppEnv, newRouter } from "../http/router.ts";
import { complete } from "./document.ts";
import { docsMode, requireDocs } from "./pages.ts";

export function describe(app: OpenAPIHono<AppEnv>) {
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
  return complete({ ...document, paths: withAliases(document.paths ?? {}) });
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
  let described: string | undefined;
  return newRouter().get("/openapi.json", limitAddress, async (c) => {
    const call = c.get("call");
    if (docsMode(c.env) === "staff") {
      const actor = await actorOf(c.env, call.keys, c.req.header("Authorization"), call.actor.via, call.now);
      c.set("call", { ...call, actor });
    }
    await requireDocs(c);
    // The routes do not change while the isolate lives.
    described ??= JSON.stringify(describe(app));
    return c.body(described, 200, { "Content-Type": "application/json" });
  });
}
