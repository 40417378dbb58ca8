// API calls for accounts and invitations.
import { hc } from "hono/client";
import type { invitationRoutes } from "../../../../src/accounts/users/invitation-routes.ts";
import type { userRoutes } from "../../../../src/accounts/users/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage, readVersioned } from "../../platform/api/client.ts";

const { users } = hc<typeof userRoutes>(API_BASE, CLIENT_OPTIONS);
const { users: invitationsClient } = hc<typeof invitationRoutes>(API_BASE, CLIENT_OPTIONS);
const userApi = users[":user_id"];

type ListQuery = NonNullable<Parameters<typeof users.$get>[0]["query"]>;
export type UserFilters = Pick<ListQuery, "role" | "is_active" | "hospital_id" | "email">;

/** Accounts that the caller manages, newest first. E-mail search matches whole addresses only: they are encrypted. */
export const listUsers = (filters: UserFilters, cursor: string | null, limit = 50) =>
  readPage(users.$get({ query: { ...filters, limit: String(limit), ...(cursor && { cursor }) } }));
export type User = Awaited<ReturnType<typeof listUsers>>["items"][number];

export const findUserByEmail = async (email: string): Promise<User | null> =>
  (await listUsers({ email }, null, 1)).items[0] ?? null;

export const readUser = (user_id: string) => readVersioned(userApi.$get({ param: { user_id } }));

export type NewUser = Parameters<typeof users.$post>[0]["json"];
export const createUser = (json: NewUser, key: string) => readData(users.$post({ header: { "idempotency-key": key }, json }));

export type UserChange = Parameters<typeof userApi.$patch>[0]["json"];
export const changeUser = (user_id: string, etag: string, json: UserChange) =>
  readData(userApi.$patch({ param: { user_id }, header: { "if-match": etag }, json }));

export const unlockUser = (user_id: string) => readData(userApi.unlock.$post({ param: { user_id } }));
/** @returns how many sessions ended, of those that the caller may end */
export const endSessions = (user_id: string) => readData(userApi.sessions.$delete({ param: { user_id } }));
export const resetPassword = (user_id: string, key: string) =>
  readData(userApi["password-reset"].$post({ param: { user_id }, header: { "idempotency-key": key } }));

export type NewInvitation = Parameters<typeof invitationsClient.invite.$post>[0]["json"];
export const createInvitation = (json: NewInvitation, key: string) =>
  readData(invitationsClient.invite.$post({ header: { "idempotency-key": key }, json }));
export const listInvitations = (cursor: string | null) =>
  readPage(invitationsClient.invitations.$get({ query: { limit: "20", ...(cursor && { cursor }) } }));
export type Invitation = Awaited<ReturnType<typeof listInvitations>>["items"][number];
export const withdrawInvitation = (invitation_id: string) =>
  readData(invitationsClient.invitations[":invitation_id"].$delete({ param: { invitation_id } }));
