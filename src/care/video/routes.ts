// The route that gives a link to the video call of an appointment.
import { createRouter } from "../../http/router.ts";

export const videoRoutes = createRouter();
