// The public route that a screen of a waiting room reads.
import { createRouter } from "../../http/router.ts";

export const publicDisplayRoutes = createRouter();
