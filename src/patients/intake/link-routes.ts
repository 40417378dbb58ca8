// Routes of links to intake forms.
import { createRouter } from "../../http/router.ts";

export const intakeLinkRoutes = createRouter();
