// Routes of exports of a whole record.
import { createRouter } from "../../http/router.ts";

export const recordExportRoutes = createRouter();
