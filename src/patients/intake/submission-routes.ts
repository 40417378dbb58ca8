// Routes of submitted intake forms: submit, review, take, reject.
import { createRouter } from "../../http/router.ts";

export const intakeSubmissionRoutes = createRouter();
