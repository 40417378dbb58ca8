// Routes of practitioners' weekly hours and absences, and of days when a hospital is closed.
import { createRouter } from "../../http/router.ts";

export const availabilityRoutes = createRouter();
