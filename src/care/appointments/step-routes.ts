// Routes of an appointment's steps: confirm, cancel, reschedule, no-show.
import { createRouter } from "../../http/router.ts";

export const appointmentStepRoutes = createRouter();
