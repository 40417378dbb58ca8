// What the API does with links: makes the invited account, brings an account into a hospital, sets a password.
import { hc } from "hono/client";
import type { accountRoutes, publicAccounts } from "../../../src/accounts/auth/account-routes.ts";
import { API, bodyOf, dataOf, OPTIONS } from "../api/client.ts";
import { start } from "./session.ts";

const open = hc<typeof publicAccounts>(API);
const account = hc<typeof accountRoutes>(API, OPTIONS);

type Acceptance = { token: string; password: string; full_name?: string; username?: string };

/** The account begins signed in: the cookie that comes back is taken up. */
export async function acceptInvitation(acceptance: Acceptance): Promise<void> {
  await bodyOf(open.auth.invitations.accept.$post({ json: { ...acceptance, transport: "cookie" } }));
  await start();
}

export const joinHospital = (token: string) => dataOf(account.auth.invitations.join.$post({ json: { token } }));

export const setPassword = (token: string, new_password: string) =>
  dataOf(open.auth.password.reset.$post({ json: { token, new_password } }));
