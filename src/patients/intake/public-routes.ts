// Public routes of an intake form: open and submit by a link.
import { createRouter } from "../../http/router.ts";

export const publicIntakeRoutes = createRouter();
