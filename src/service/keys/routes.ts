// Route for platform administrators: progress of a key rotation.
import { createRoute, z } from "@hono/zod-openapi";
import { BEARER_AUTH, createRouter, jsonResponse, ok, problemResponses } from "../../http/router.ts";
import { RESEALING_PHASES } from "../../platform/db/vocabulary.ts";
import { getKeyStatus } from "./key-status.ts";

const Values = z
  .record(z.string(), z.number().int())
  .nullable()
  .openapi({ description: "Numbers of values by key id, `?` for an unknown format; null until they are counted" });

const KeyStatus = z
  .object({
    current_key_id: z.string().openapi({ description: "The key that new data are sealed under" }),
    keys: z.array(
      z.object({
        key_id: z.string(),
        in_ring: z.boolean(),
        values: z.number().int().nullable().openapi({ description: "In all stores; null until each is counted" }),
        can_be_dropped: z.boolean().openapi({ description: "True once no value needs the key" }),
      }),
    ),
    stores: z.array(
      z.object({
        store: z.string().openapi({ description: "A table, the column of a table that names files, or the objects of patients" }),
        phase: z.enum(RESEALING_PHASES),
        values: Values,
        unreadable: z.number().int().openapi({ description: "Values that cannot be opened; they stay as they are" }),
        counted_at: z.iso.datetime().nullable(),
        phase_started_at: z.iso.datetime(),
      }),
    ),
  })
  .openapi("KeyStatus");

export const keyRoutes = createRouter().openapi(
  createRoute({
    method: "get",
    path: "/admin/keys",
    tags: ["Admin"],
    summary: "Get the progress of a rotation of FIELD_KEYS",
    description:
      "A job counts and seals again in the background while the ring has several keys; the numbers are those of its last count.",
    security: BEARER_AUTH,
    responses: {
      200: jsonResponse(KeyStatus, "Values by key", {
        current_key_id: "f2",
        keys: [
          { key_id: "f2", in_ring: true, values: 5_210, can_be_dropped: false },
          { key_id: "f1", in_ring: true, values: 120, can_be_dropped: false },
        ],
        stores: [
          {
            store: "patients",
            phase: "sealing",
            values: { f1: 120, f2: 40 },
            unreadable: 0,
            counted_at: "2026-11-29T10:00:00.000Z",
            phase_started_at: "2026-11-29T10:00:00.000Z",
          },
        ],
      }),
      ...problemResponses(401, 403),
    },
  }),
  async (c) => ok(c, await getKeyStatus(c.get("call"))),
);
