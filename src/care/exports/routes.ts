// The route that exports a report as PDF or DOCX.
import { createRouter } from "../../http/router.ts";

export const reportExportRoutes = createRouter();
