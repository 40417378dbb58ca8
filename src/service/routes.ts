// Routes of the service: API information, health, public keys, metrics, documentation pages.
import { createRoute, z } from "@hono/zod-openapi";
import { limitByAddress } from "../http/request-middleware.ts";
import { createRouter, jsonResponse, ok, problemResponses } from "../http/router.ts";
import { getKeys } from "../platform/config.ts";
import { renderDocsPage } from "./docs-pages.ts";
import { areAllOk, getReadiness, getStoreHealth } from "./health.ts";
import { authenticateScraper, renderMetrics } from "./metrics.ts";
import { EXPOSITION_CONTENT_TYPE } from "./prometheus-format.ts";

const Check = z.object({ status: z.enum(["ok", "error"]), latency_ms: z.number() });
const exampleCheck = { status: "ok" as const, latency_ms: 2 };
const METRICS_EXAMPLE = "# HELP edgecare_patients Patient records\n# TYPE edgecare_patients gauge\nedgecare_patients 30\n";
const tags = ["Service"];

/** Mounted before everything that needs keys, because `/health` must work with any configuration. */
export const healthRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/health",
      tags,
      summary: "Check health",
      description: "Status of each store with its latency in ms. Results are cached for 10 seconds.",
      responses: {
        200: jsonResponse(z.object({ status: z.enum(["ok", "degraded"]), d1: Check, r2: Check, kv: Check }), "Alive", {
          status: "ok",
          d1: exampleCheck,
          r2: exampleCheck,
          kv: exampleCheck,
        }),
      },
    }),
    async (c) => {
      const stores = await getStoreHealth(c.env);
      c.header("Cache-Control", "public, max-age=10");
      return ok(c, { status: areAllOk(stores) ? ("ok" as const) : ("degraded" as const), ...stores });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/health/ready",
      tags,
      summary: "Check readiness",
      description: "Ready if the keys decrypt the stored sentinel and all stores respond.",
      responses: {
        200: jsonResponse(z.object({ status: z.enum(["ready"]), keys: Check, d1: Check, r2: Check, kv: Check }), "Ready", {
          status: "ready",
          keys: exampleCheck,
          d1: exampleCheck,
          r2: exampleCheck,
          kv: exampleCheck,
        }),
        503: {
          description: "Not ready",
          content: { "application/json": { schema: z.object({ data: z.object({ status: z.enum(["not_ready"]) }) }) } },
        },
      },
    }),
    async (c) => {
      const [keys, stores] = await Promise.all([getReadiness(c.env), getStoreHealth(c.env)]);
      const checks = { ...keys, ...stores };
      if (areAllOk(checks)) return ok(c, { status: "ready" as const, ...checks });
      c.header("Retry-After", "5");
      return c.json({ data: { status: "not_ready" as const, ...checks }, meta: {}, request_id: c.get("requestId") }, 503);
    },
  );

export const serviceRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      tags,
      summary: "Get API information",
      description: "A browser, which accepts `text/html`, gets the portal instead.",
      responses: {
        200: jsonResponse(z.object({ name: z.string(), api: z.string(), docs: z.string(), health: z.string() }), "The API", {
          name: "EdgeCare",
          api: "/api/v1",
          docs: "/docs",
          health: "/health",
        }),
      },
    }),
    (c) => ok(c, { name: "EdgeCare", api: "/api/v1", docs: "/docs", health: "/health" }),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/.well-known/jwks.json",
      tags,
      summary: "Get the public keys of access tokens",
      description: "A JSON Web Key Set (RFC 7517).",
      responses: {
        200: {
          description: "The JWK set",
          content: {
            "application/json": {
              schema: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
              example: { keys: [{ kty: "EC", crv: "P-256", kid: "j1", alg: "ES256", use: "sig", x: "…", y: "…" }] },
            },
          },
        },
      },
    }),
    async (c) => {
      const { jwt } = await getKeys(c.env);
      c.header("Cache-Control", "public, max-age=300");
      const keys: Record<string, unknown>[] = jwt.jwks.keys.map((key) => ({ ...key }));
      return c.json({ keys }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/metrics",
      tags,
      summary: "Get Prometheus metrics",
      description: "Text exposition format 0.0.4.",
      security: [{ metrics: [] }],
      middleware: limitByAddress,
      responses: {
        200: {
          description: "Gauges of the deployment; labels never identify a person",
          content: { "text/plain": { schema: z.string(), example: METRICS_EXAMPLE } },
        },
        ...problemResponses(401, 404),
      },
    }),
    async (c) => {
      await authenticateScraper(c.env.METRICS_TOKEN, c.req.header("Authorization"));
      return c.text(await renderMetrics(c.get("call")), 200, { "Content-Type": EXPOSITION_CONTENT_TYPE });
    },
  );

serviceRoutes.get("/docs", (c) => renderDocsPage(c, "docs"));
serviceRoutes.get("/redoc", (c) => renderDocsPage(c, "redoc"));
