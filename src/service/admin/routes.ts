// The platform administrator's views: accounts, reports with links, totals.
import { createRoute, z } from "@hono/zod-openapi";
import { listUsers } from "../../accounts/users/directory.ts";
import { exampleUser, User, userQuery } from "../../accounts/users/shapes.ts";
import { answer, newRouter, ok, page, pageAnswer, problems, SECURED } from "../../http/router.ts";
import { listLinkedReports } from "../../reports/reading/list.ts";
import { exampleLinkedReport, LinkedReport, reportQuery } from "../../reports/reading/shapes.ts";
import { adminStats } from "./stats.ts";

const Totals = z
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

export const adminRoutes = newRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/users",
      tags,
      summary: "Every account",
      security: SECURED,
      request: { query: userQuery },
      responses: {
        200: pageAnswer(User, "Newest first", exampleUser),
        ...problems(401, 403),
      },
    }),
    async (c) => page(c, await listUsers(c.get("call"), c.req.valid("query"), "admin:read")),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/reports",
      tags,
      summary: "Every report, with download links",
      security: SECURED,
      request: { query: reportQuery },
      responses: { 200: pageAnswer(LinkedReport, "Newest first", exampleLinkedReport), ...problems(401, 403) },
    }),
    async (c) => page(c, await listLinkedReports(c.get("call"), c.req.valid("query"), new URL(c.req.url).origin)),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/admin/stats",
      tags,
      summary: "Totals of the deployment",
      security: SECURED,
      responses: {
        200: answer(Totals, "Totals", {
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
        ...problems(401, 403),
      },
    }),
    async (c) => ok(c, await adminStats(c.get("call"))),
  );
