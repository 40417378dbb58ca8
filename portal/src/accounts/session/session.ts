// Who is signed in: the access token in memory, the refresh token in a cookie that no script reads.
import { hc } from "hono/client";
import type { accountRoutes } from "../../../../src/accounts/auth/account-routes.ts";
import type { authRoutes, publicAuthRoutes } from "../../../../src/accounts/auth/routes.ts";
import { parseProblem, throwUnreachable } from "../../platform/api/problem.ts";

const API_BASE = "/api/v1";
/** A request that gets no answer in this time has failed. */
const DEADLINE_MS = 20_000;
/** A token is renewed this long before its end, so that no request meets it. */
const RENEW_BEFORE_MS = 60_000;

type Tokens = { access_token: string; expires_in: number; user_id: string };
export type Me = Extract<
  Awaited<ReturnType<Awaited<ReturnType<typeof accountApi.auth.me.$get>>["json"]>>,
  { data: unknown }
>["data"];
/** `expired`: somebody was signed in, and must be again before anything of patients is shown. */
export type Session = { status: "starting" | "signed_out" } | { status: "signed_in" | "expired"; me: Me };

let token: { value: string; expiresAt: number } | null = null;
let session: Session = { status: "starting" };
let renewalTimer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const tokenListeners = new Set<(token: string) => void>();

const publicAuthApi = hc<typeof publicAuthRoutes>(API_BASE);
const accountApi = hc<typeof accountRoutes>(API_BASE, { fetch: authorizedFetch });
const authApi = hc<typeof authRoutes>(API_BASE, { fetch: authorizedFetch });

export const currentSession = (): Session => session;
export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
/** Hears of each new access token, for sockets that outlive one. */
export function onToken(listener: (token: string) => void): () => void {
  tokenListeners.add(listener);
  return () => tokenListeners.delete(listener);
}

function setSession(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function storeToken({ access_token, expires_in }: Tokens): void {
  token = { value: access_token, expiresAt: performance.now() + expires_in * 1000 };
  clearTimeout(renewalTimer);
  renewalTimer = setTimeout(() => renewToken().catch(() => undefined), Math.max(5_000, expires_in * 1000 - RENEW_BEFORE_MS));
  for (const listener of tokenListeners) listener(access_token);
}

function expireSession(): void {
  token = null;
  clearTimeout(renewalTimer);
  setSession("me" in session ? { status: "expired", me: session.me } : { status: "signed_out" });
}

let pendingRenewal: Promise<boolean> | null = null;
/** One at a time, in this tab and in all: a refresh token that is used twice ends its session. */
export function renewToken(): Promise<boolean> {
  pendingRenewal ??= navigator.locks.request("edgecare.refresh", requestRefresh).finally(() => {
    pendingRenewal = null;
  });
  return pendingRenewal;
}

/** @returns false when nobody is signed in any more; a server that does not answer says nothing about that */
async function requestRefresh(): Promise<boolean> {
  const response = await publicAuthApi.auth.refresh.$post({ json: {} }).catch(throwUnreachable);
  if (response.status === 200) {
    const { data } = await response.json();
    // Another tab signed somebody else in: what this one shows is not theirs.
    if ("me" in session && session.me.user_id !== data.user_id) {
      location.reload();
      return false;
    }
    storeToken(data);
    return true;
  }
  if (response.status === 401 || response.status === 403) expireSession();
  else throw await parseProblem(response);
  return false;
}

/** As fetch, with the access token, renewed where it has ended; nothing is asked twice for any other reason. */
export async function authorizedFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  if ((token === null || token.expiresAt <= performance.now()) && !(await renewToken())) return unauthenticatedResponse();
  const usedToken = token?.value;
  const response = await sendWithToken(input, init, usedToken);
  if (response.status !== 401) return response;
  // Somebody else may have renewed it meanwhile.
  if (token?.value === usedToken && !(await renewToken())) return response;
  return sendWithToken(input, init, token?.value);
}

function sendWithToken(input: RequestInfo | URL, init: RequestInit, accessToken: string | undefined): Promise<Response> {
  const headers = new Headers(init.headers);
  if (accessToken) headers.set("Authorization", `Bearer ${accessToken}`);
  return fetch(input, { ...init, headers, signal: init.signal ?? AbortSignal.timeout(DEADLINE_MS) });
}

const unauthenticatedResponse = () =>
  Response.json(
    { code: "unauthenticated", detail: "", errors: [] },
    { status: 401, headers: { "Content-Type": "application/problem+json" } },
  );

/** For an upload, which reports its progress and therefore cannot be a fetch. @returns null when nobody is signed in */
export async function getAccessToken(): Promise<string | null> {
  if ((token === null || token.expiresAt <= performance.now()) && !(await renewToken())) return null;
  return token?.value ?? null;
}

async function readMe(): Promise<Me> {
  const response = await accountApi.auth.me.$get().catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  return (await response.json()).data;
}

/** When the page opens: whoever the cookie says. @throws Problem when the server does not answer */
export async function restoreSession(): Promise<void> {
  if (!(await renewToken())) return setSession({ status: "signed_out" });
  setSession({ status: "signed_in", me: await readMe() });
}

/** @throws Problem `invalid_credentials`, `account_locked`, `unreachable` */
export async function signIn(name: string, password: string): Promise<void> {
  const identifier = name.includes("@") ? { email: name } : { username: name };
  const response = await publicAuthApi.auth.login
    .$post({ json: { ...identifier, password, transport: "cookie" } })
    .catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  const { data } = await response.json();
  if ("me" in session && session.me.user_id !== data.user_id) {
    // The page behind the dialog is somebody else's.
    location.assign("/");
    return;
  }
  storeToken(data);
  setSession({ status: "signed_in", me: await readMe() });
}

/** Ends the session here whatever the server says; it is told, so that the refresh token ends too. */
export async function signOut(): Promise<void> {
  await authApi.auth.logout.$post().catch(() => undefined);
  token = null;
  // Everything that was read goes with the page.
  location.assign("/login");
}

/** Acts for another of the caller's hospitals; the page begins anew, for all that it shows belongs to the other. */
export async function switchHospital(hospitalId: string | null): Promise<void> {
  const response = await accountApi.auth["switch-hospital"].$post({ json: { hospital_id: hospitalId } }).catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  location.assign("/");
}

/** After a change of the own account. @throws Problem */
export async function reloadMe(): Promise<void> {
  if (session.status === "signed_in") setSession({ status: "signed_in", me: await readMe() });
}
