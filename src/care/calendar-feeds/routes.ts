// Routes of calendar addresses: create, list, revoke.
import { createRouter } from "../../http/router.ts";

export const calendarFeedRoutes = createRouter();
