// Routes of addresses for the screens of a waiting room.
import { createRouter } from "../../http/router.ts";

export const displayRoutes = createRouter();
