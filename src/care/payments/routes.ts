// Routes of payments for appointments.
import { createRouter } from "../../http/router.ts";

export const paymentRoutes = createRouter();
