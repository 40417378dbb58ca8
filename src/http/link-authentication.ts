// Authentication of requests with a signed link, and the parameters of a download.
import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type LinkedKind, verifyLink } from "../access/file-links.ts";
import { ApiError } from "../platform/errors.ts";
import { limitInvalidCredentials } from "./rate-limit.ts";
import type { AppEnv } from "./router.ts";

/** Query of a download. */
export const linkQuery = z.strictObject({ link: z.string().max(400).optional() });

/** Headers of a download. */
export const rangeHeaders = z.object({
  range: z.string().max(200).optional(),
  "if-range": z
    .string()
    .max(200)
    .optional()
    .openapi({ description: "ETag of the file that the range continues; else all of it is sent" }),
});

/**
 * Authenticates requests of `/<kind>s/{id}/file` with a signed link. Mounted before token authentication, because such requests have
 * no token.
 */
export function authenticateByLink(kind: LinkedKind): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const link = c.req.query("link");
    if (link !== undefined) {
      // A link is valid for GET only; Hono would otherwise run HEAD as GET.
      if (c.req.raw.method !== "GET") throw new ApiError("link_invalid");
      const call = c.get("call");
      const id = (c.req.path.split("/").at(-2) ?? "").toLowerCase();
      const actor = await verifyLink(call.keys, { kind, id }, link, call.actor.via, call.now).catch(async (error: unknown) => {
        await limitInvalidCredentials(c);
        throw error;
      });
      c.set("call", { ...call, actor });
    }
    await next();
  };
}
