// API calls for API keys.
import { hc } from "hono/client";
import type { apiKeyRoutes } from "../../../../src/accounts/api-keys/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData, readPage } from "../../platform/api/client.ts";

const keysApi = hc<typeof apiKeyRoutes>(API_BASE, CLIENT_OPTIONS)["api-keys"];
const keyApi = keysApi[":api_key_id"];

/** @param hospitalId for platform administrators */
export const listKeys = (hospitalId: string | undefined, cursor: string | null) =>
  readPage(keysApi.$get({ query: { limit: "50", ...(hospitalId && { hospital_id: hospitalId }), ...(cursor && { cursor }) } }));
export type ApiKey = Awaited<ReturnType<typeof listKeys>>["items"][number];

export type NewKey = Parameters<typeof keysApi.$post>[0]["json"];
export type Scope = NewKey["scopes"][number];
/** All scopes; a scope added to the API does not compile until it is listed here. */
const ALL_SCOPES: Record<Scope, true> = {
  "patient:read": true,
  "patient:search": true,
  "patient:create": true,
  "patient:update": true,
  "report:read": true,
  "report:create": true,
  "observation:read": true,
  "observation:create": true,
  "alert:read": true,
  "appointment:read": true,
  "appointment:create": true,
  "encounter:read": true,
};
export const SCOPES = Object.keys(ALL_SCOPES) as Scope[];

/** The token is null when the same request was sent before: it was shown then. */
export const issueKey = (json: NewKey, key: string) => readData(keysApi.$post({ header: { "idempotency-key": key }, json }));
export const rotateKey = (api_key_id: string, grace_days: number, key: string) =>
  readData(keyApi.rotate.$post({ param: { api_key_id }, header: { "idempotency-key": key }, json: { grace_days } }));
export const revokeKey = (api_key_id: string) => readData(keyApi.$delete({ param: { api_key_id } }));

export function getKeyState({ revoked_at, expires_at }: ApiKey, now: number): "revoked" | "expired" | "works" {
  if (revoked_at) return "revoked";
  return expires_at && Date.parse(expires_at) <= now ? "expired" : "works";
}
