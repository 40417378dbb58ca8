// What the API does with links: makes the invited account, brings an account into a hospital, sets a password.
import { hc } from "hono/client";
import type { accountRoutes, publicAccountRoutes } from "../../../../src/accounts/auth/account-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readBody, readData } from "../../platform/api/client.ts";
import { restoreSession } from "./session.ts";

const publicAccountApi = hc<typeof publicAccountRoutes>(API_BASE);
const accountApi = hc<typeof accountRoutes>(API_BASE, CLIENT_OPTIONS);

type InvitationAcceptance = { token: string; password: string; full_name?: string; username?: string };

/** The account begins signed in: the cookie that comes back is taken up. */
export async function acceptInvitation(acceptance: InvitationAcceptance): Promise<void> {
  await readBody(publicAccountApi.auth.invitations.accept.$post({ json: { ...acceptance, transport: "cookie" } }));
  await restoreSession();
}

export const joinHospital = (token: string) => readData(accountApi.auth.invitations.join.$post({ json: { token } }));

export const resetPassword = (token: string, new_password: string) =>
  readData(publicAccountApi.auth.password.reset.$post({ json: { token, new_password } }));
