// The route of a hospital's dashboard.
import { createRouter } from "../../http/router.ts";

export const dashboardRoutes = createRouter();
