// Routes of arrivals: check-in and walk-ins.
import { createRouter } from "../../http/router.ts";

export const checkInRoutes = createRouter();
