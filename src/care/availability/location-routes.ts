// Routes of locations: where a hospital sees patients.
import { createRouter } from "../../http/router.ts";

export const locationRoutes = createRouter();
