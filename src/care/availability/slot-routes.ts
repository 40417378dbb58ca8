// The route that lists free times for appointments.
import { createRouter } from "../../http/router.ts";

export const slotRoutes = createRouter();
