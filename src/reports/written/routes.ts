// Routes of reports that doctors write: draft, release, amend, and the worklist.
import { createRouter } from "../../http/router.ts";

export const writtenReportRoutes = createRouter();
