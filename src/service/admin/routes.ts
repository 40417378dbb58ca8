// Routes for platform administrators: accounts, reports with download links, totals.
import { createRoute, z } from "@hono/zod-openapi";
import { listUsers } from "../../accounts/users/list-users.ts";
import { exampleUser, User, userQuery } from "../../accounts/users/schemas.ts";
import { BEARER_AUTH, createRouter, jsonResponse, ok, okPage, pageResponse, problemResponses } from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { listReportsWithLinks } from "../../reports/reading/list.ts";
import { exampleLinkedReport, LinkedReport, reportQuery } from "../../reports/reading/schemas.ts";
import { getAdminStats } from "./stats.ts";

const AdminStats = z
  .object({
    users: z.number().int(),
    hospitals: z.number().int(),
    patients: z.number().int(),
    devices: z.number().int(),
    reports: z.object({
      total: z.number().int(),
      by_status: z.record(z.string(), z.number().int()),
      by_kind: z.record(z.string(), z.number().int()),
      recent_7_days: z.number().int(),
      average_confidence: z.number().nullable(),
    }),
  })
  .openapi("AdminStats");

const tags = ["Admin"];

export const adminRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/users",
      tags,
      summary: "List all accounts",
      security: BEARER_AUTH,
      request: { query: userQuery },
      responses: {
        200: pageResponse(User, "Newest first", exampleUser),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => okPage(c, await listUsers(c.get("call"), c.req.valid("query"), "admin:read")),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/reports",
      tags,
      summary: "List all reports with download links",
      security: BEARER_AUTH,
      request: { query: reportQuery },
      responses: { 200: pageResponse(LinkedReport, "Newest first", exampleLinkedReport), ...problemResponses(401, 403) },
    }),
    async (c) => okPage(c, await listReportsWithLinks(c.get("call"), c.req.valid("query"), getPublicOrigin(c.env))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/stats",
      tags,
      summary: "Get totals of the deployment",
      security: BEARER_AUTH,
      responses: {
        200: jsonResponse(AdminStats, "Totals", {
          users: 6,
          hospitals: 3,
          patients: 30,
          devices: 25,
          reports: {
            total: 25,
            by_status: { preliminary: 25 },
            by_kind: { ecg: 25 },
            recent_7_days: 25,
            average_confidence: 0.93,
          },
        }),
        ...problemResponses(401, 403),
      },
    }),
    async (c) => ok(c, await getAdminStats(c.get("call"))),
  );
