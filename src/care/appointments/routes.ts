// Routes of appointments: book, read, change.
import { createRouter } from "../../http/router.ts";

export const appointmentRoutes = createRouter();
