// Routes of signed versions: sign, list, verify.
import { createRouter } from "../../http/router.ts";

export const signatureRoutes = createRouter();
