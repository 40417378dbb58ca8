// Routes of a hospital's settings of appointments.
import { createRouter } from "../../http/router.ts";

export const careSettingsRoutes = createRouter();
