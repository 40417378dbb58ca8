// API calls that create an account or join a hospital: registration and invitations.
import { hc } from "hono/client";
import type { accountRoutes, publicAccountRoutes } from "../../../../src/accounts/auth/account-routes.ts";
import { API_BASE, CLIENT_OPTIONS, readBody, readData } from "../../platform/api/client.ts";
import { restoreSession } from "./session.ts";

const publicAccountApi = hc<typeof publicAccountRoutes>(API_BASE);
const accountApi = hc<typeof accountRoutes>(API_BASE, CLIENT_OPTIONS);

type InvitationAcceptance = { token: string; password: string; full_name?: string; username?: string };

/** The new account is signed in by the cookie in the response. */
export async function acceptInvitation(acceptance: InvitationAcceptance): Promise<void> {
  await readBody(publicAccountApi.auth.invitations.accept.$post({ json: { ...acceptance, transport: "cookie" } }));
  await restoreSession();
}

export type Registration = { email: string; password: string; full_name: string; date_of_birth?: string };

/** The new patient is signed in by the cookie in the response. */
export async function registerPatient(registration: Registration): Promise<void> {
  await readBody(publicAccountApi.auth.register.patient.$post({ json: { ...registration, transport: "cookie" } }));
  await restoreSession();
}

export const joinHospital = (token: string) => readData(accountApi.auth.invitations.join.$post({ json: { token } }));
