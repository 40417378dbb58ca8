// The route that finds records of the same person.
import { createRouter } from "../../http/router.ts";

export const matchRoutes = createRouter();
