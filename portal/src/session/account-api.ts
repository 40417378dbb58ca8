// What the API says and takes of the own account.
import { hc } from "hono/client";
import type { accountRoutes } from "../../../src/accounts/auth/account-routes.ts";
import type { authRoutes } from "../../../src/accounts/auth/routes.ts";
import { API, dataOf, OPTIONS, versionOf } from "../api/client.ts";

const accountApi = hc<typeof accountRoutes>(API, OPTIONS);
const sessionApi = hc<typeof authRoutes>(API, OPTIONS);

export const readProfile = () => versionOf(accountApi.auth.me.$get());
export type Profile = Awaited<ReturnType<typeof readProfile>>;

type ProfileChange = Parameters<typeof accountApi.auth.me.$patch>[0]["json"];
/** @throws Problem already_exists (the user name), precondition_failed */
export const changeProfile = (etag: string, change: ProfileChange) =>
  dataOf(accountApi.auth.me.$patch({ header: { "if-match": etag }, json: change }));

/** @throws Problem wrong_password, account_locked, invalid_request (weak) */
export const changePassword = (current: string, next: string) =>
  dataOf(accountApi.auth.password.change.$post({ json: { current_password: current, new_password: next } }));

export const listSessions = () => dataOf(sessionApi.auth.sessions.$get());
export type SignedIn = Awaited<ReturnType<typeof listSessions>>[number];
export const endSession = (sessionId: string) =>
  dataOf(sessionApi.auth.sessions[":session_id"].$delete({ param: { session_id: sessionId } }));
