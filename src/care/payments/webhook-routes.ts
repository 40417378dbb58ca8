// The public route to which the payment provider reports.
import { createRouter } from "../../http/router.ts";

export const publicPaymentRoutes = createRouter();
