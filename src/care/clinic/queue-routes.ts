// Routes of the queue of a location: read, call, done, left.
import { createRouter } from "../../http/router.ts";

export const queueRoutes = createRouter();
