// API calls of forgotten passwords, and of verifying and changing the e-mail address.
import { hc } from "hono/client";
import type { emailRoutes, publicEmailRoutes } from "../../../../src/accounts/email/routes.ts";
import type { publicPasswordRoutes } from "../../../../src/accounts/passwords/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";

const passwordApi = hc<typeof publicPasswordRoutes>(API_BASE);
const publicEmailApi = hc<typeof publicEmailRoutes>(API_BASE);
const emailApi = hc<typeof emailRoutes>(API_BASE, CLIENT_OPTIONS);

/** The same for every address. @throws Problem rate_limited */
export const requestResetLink = (email: string) => readData(passwordApi.auth.password.forgot.$post({ json: { email } }));

/** @throws Problem link_invalid, invalid_request (weak) */
export const resetPassword = (token: string, new_password: string) =>
  readData(passwordApi.auth.password.reset.$post({ json: { token, new_password } }));

/** @throws Problem link_invalid */
export const confirmAddress = (token: string) => readData(publicEmailApi.auth.email.verify.$post({ json: { token } }));

/** @throws Problem rate_limited, conflict (verified already) */
export const resendVerification = () => readData(emailApi.auth.email.verification.$post());

/** @throws Problem wrong_password, account_locked, rate_limited */
export const changeAddress = (email: string, password: string) =>
  readData(emailApi.auth.email.change.$post({ json: { email, password } }));
