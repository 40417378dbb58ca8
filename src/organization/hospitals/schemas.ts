// Schemas that the routes of hospitals and of their storage share.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id } from "../../http/router.ts";

export const hospitalParam = z.object({ hospital_id: Id.openapi({ example: EXAMPLES.hospital }) });
