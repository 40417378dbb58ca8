// Routes of series of appointments.
import { createRouter } from "../../http/router.ts";

export const appointmentSeriesRoutes = createRouter();
