// Routes that merge two records, and undo it.
import { createRouter } from "../../http/router.ts";

export const mergeRoutes = createRouter();
