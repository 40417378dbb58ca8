// API calls for the user's own account.
import { hc } from "hono/client";
import type { accountRoutes } from "../../../../src/accounts/auth/account-routes.ts";
import type { authRoutes } from "../../../../src/accounts/auth/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage, readVersioned } from "../../platform/api/client.ts";

const accountApi = hc<typeof accountRoutes>(API_BASE, CLIENT_OPTIONS);
const sessionApi = hc<typeof authRoutes>(API_BASE, CLIENT_OPTIONS);

export const readProfile = () => readVersioned(accountApi.auth.me.$get());
export type Profile = Awaited<ReturnType<typeof readProfile>>;

type ProfileChange = Parameters<typeof accountApi.auth.me.$patch>[0]["json"];
/** @throws Problem already_exists (user name), precondition_failed */
export const changeProfile = (etag: string, change: ProfileChange) =>
  readData(accountApi.auth.me.$patch({ header: { "if-match": etag }, json: change }));

/** @throws Problem wrong_password, account_locked, invalid_request (weak) */
export const changePassword = (currentPassword: string, newPassword: string) =>
  readData(accountApi.auth.password.change.$post({ json: { current_password: currentPassword, new_password: newPassword } }));

/** All of them: an account has at most ten. */
export const listSessions = async () => (await readPage(sessionApi.auth.sessions.$get({ query: { limit: "100" } }))).items;
export type AccountSession = Awaited<ReturnType<typeof listSessions>>[number];
export const endSession = (sessionId: string) =>
  readData(sessionApi.auth.sessions[":session_id"].$delete({ param: { session_id: sessionId } }));
