// Session: the access token in memory, the refresh token in an HttpOnly cookie.
import { hc } from "hono/client";
import type { accountRoutes } from "../../../../src/accounts/auth/account-routes.ts";
import type { authRoutes, publicAuthRoutes } from "../../../../src/accounts/auth/routes.ts";
import { parseProblem, throwUnreachable } from "../../platform/api/problem.ts";
import { setUserZone } from "../../platform/design/screen-zone.ts";

const API_BASE = "/api/v1";
/** Timeout of a request, ms. */
const DEADLINE_MS = 20_000;
/** A token is renewed this long before it expires, so that no request carries an expired one. */
const RENEW_BEFORE_MS = 60_000;

export type Tokens = { access_token: string; expires_in: number; user_id: string };
export type Me = Extract<
  Awaited<ReturnType<Awaited<ReturnType<typeof accountApi.auth.me.$get>>["json"]>>,
  { data: unknown }
>["data"];
/** `expired`: a user was signed in and must sign in again before patient data is shown. */
export type Session =
  | { status: "starting" | "signed_out" }
  /** `isSecondStepDemanded`: the service refused a request because this session lacks the second step that the hospital requires. */
  | { status: "signed_in" | "expired"; me: Me; isSecondStepDemanded?: boolean };

let token: { value: string; expiresAt: number } | null = null;
let session: Session = { status: "starting" };
let renewalTimer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const tokenListeners = new Set<(token: string) => void>();
const signOutTasks = new Set<() => Promise<unknown>>();

const publicAuthApi = hc<typeof publicAuthRoutes>(API_BASE);
const accountApi = hc<typeof accountRoutes>(API_BASE, { fetch: authorizedFetch });
const authApi = hc<typeof authRoutes>(API_BASE, { fetch: authorizedFetch });

export const currentSession = (): Session => session;
export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
/** Subscribes to new access tokens, for sockets that outlive one. */
export function onToken(listener: (token: string) => void): () => void {
  tokenListeners.add(listener);
  return () => tokenListeners.delete(listener);
}

/** Subscribes to the end of a session by its user, to delete what the browser keeps for them. It must end in seconds. */
export function onSignOut(task: () => Promise<unknown>): () => void {
  signOutTasks.add(task);
  return () => signOutTasks.delete(task);
}

function setSession(next: Session): void {
  session = next;
  setUserZone("me" in next ? findZone(next.me) : null);
  for (const listener of listeners) listener();
}

/** Of the hospital that the user acts for, or of all of a patient's records; null without one, or with records in several zones. */
function findZone({ hospital, patients }: Me): string | null {
  const zones = new Set(hospital ? [hospital.time_zone] : patients.flatMap(({ time_zone }) => time_zone ?? []));
  const [zone = null] = zones;
  return zones.size === 1 ? zone : null;
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
/** One refresh at a time across all tabs: a refresh token that is used twice ends its session. */
export function renewToken(): Promise<boolean> {
  pendingRenewal ??= navigator.locks.request("edgecare.refresh", requestRefresh).finally(() => {
    pendingRenewal = null;
  });
  return pendingRenewal;
}

/** @returns false when nobody is signed in; an unreachable server does not change the state */
async function requestRefresh(): Promise<boolean> {
  const response = await publicAuthApi.auth.refresh.$post({ json: {} }).catch(throwUnreachable);
  if (response.status === 200) {
    const { data } = await response.json();
    // Another tab signed in another user: this tab must not show their data.
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

/** fetch with the access token, renewed when expired; nothing else is retried. */
export async function authorizedFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  if ((token === null || token.expiresAt <= performance.now()) && !(await renewToken())) return unauthenticatedResponse();
  const usedToken = token?.value;
  const response = await sendWithToken(input, init, usedToken);
  if (!(await isTokenRefused(response))) return response;
  // Another caller may have renewed it meanwhile.
  if (token?.value === usedToken && !(await renewToken())) return response;
  return sendWithToken(input, init, token?.value);
}

/** Other refusals with this status are about a password, a code or a missing step: a new token would not help. */
async function isTokenRefused(response: Response): Promise<boolean> {
  return response.status === 401 && ["unauthenticated", "internal_error"].includes((await parseProblem(response.clone())).code);
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

/** Access token for an upload by XMLHttpRequest, which reports progress. @returns null when nobody is signed in */
export async function getAccessToken(): Promise<string | null> {
  if ((token === null || token.expiresAt <= performance.now()) && !(await renewToken())) return null;
  return token?.value ?? null;
}

async function readMe(): Promise<Me> {
  const response = await accountApi.auth.me.$get().catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  return (await response.json()).data;
}

/** Restores the session from the cookie on page load. @throws Problem when the server does not respond */
export async function restoreSession(): Promise<void> {
  if (!(await renewToken())) return setSession({ status: "signed_out" });
  setSession({ status: "signed_in", me: await readMe() });
}

/** @throws Problem `invalid_credentials`, `second_step_required` (with the ticket), `account_locked`, `unreachable` */
export async function signIn(name: string, password: string): Promise<void> {
  const identifier = name.includes("@") ? { email: name } : { username: name };
  const response = await publicAuthApi.auth.login
    .$post({ json: { ...identifier, password, transport: "cookie" } })
    .catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  await startSession((await response.json()).data);
}

/** Begins the session of these tokens. */
export async function startSession(tokens: Tokens): Promise<void> {
  if ("me" in session && session.me.user_id !== tokens.user_id) {
    // The page behind the dialog belongs to another user.
    location.assign("/");
    return;
  }
  storeToken(tokens);
  setSession({ status: "signed_in", me: await readMe() });
}

/** Ends the local session in any case; also asks the server to revoke the refresh token. */
export async function signOut(): Promise<void> {
  await Promise.allSettled([...signOutTasks].map((task) => task()));
  await authApi.auth.logout.$post().catch(() => undefined);
  token = null;
  // The reload discards all data that was read.
  location.assign("/login");
}

/** Switches to another of the caller's hospitals and reloads: all data shown belongs to the previous one. */
export async function switchHospital(hospitalId: string | null): Promise<void> {
  const response = await accountApi.auth["switch-hospital"].$post({ json: { hospital_id: hospitalId } }).catch(throwUnreachable);
  if (response.status !== 200) throw await parseProblem(response);
  location.assign("/");
}

/** Updates the session after a change of the own account. @throws Problem */
export async function reloadMe(): Promise<void> {
  if (session.status === "signed_in") setSession({ status: "signed_in", me: await readMe() });
}

let pendingDemand: Promise<void> | null = null;
/** Notes that the service asks this session for a second step. Requests that are refused together note it once. */
export function noteSecondStepDemand(): void {
  if (pendingDemand || session.status !== "signed_in" || session.isSecondStepDemanded) return;
  pendingDemand = readMe()
    .then((me) => {
      if (session.status === "signed_in") setSession({ status: "signed_in", me, isSecondStepDemanded: !me.second_step.is_done });
    })
    .catch(() => undefined)
    .finally(() => {
      pendingDemand = null;
    });
}
