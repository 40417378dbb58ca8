// Routes of an encounter's steps: pause, resume, finish, cancel.
import { createRouter } from "../../http/router.ts";

export const encounterStepRoutes = createRouter();
