// Routes of encounters: start, read, change.
import { createRouter } from "../../http/router.ts";

export const encounterRoutes = createRouter();
