// Routes of the waiting list for appointments.
import { createRouter } from "../../http/router.ts";

export const waitingListRoutes = createRouter();
