// The public route that calendar programs read (RFC 5545).
import { createRouter } from "../../http/router.ts";

export const publicCalendarRoutes = createRouter();
