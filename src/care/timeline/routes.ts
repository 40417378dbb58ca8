// The route of a patient's timeline.
import { createRouter } from "../../http/router.ts";

export const timelineRoutes = createRouter();
