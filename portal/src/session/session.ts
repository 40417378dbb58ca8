// Who is signed in: the access token in memory, the refresh token in a cookie that no script reads.
import { hc } from "hono/client";
import type { accountRoutes } from "../../../src/accounts/auth/account-routes.ts";
import type { authRoutes, publicAuth } from "../../../src/accounts/auth/routes.ts";
import { problemOf, unreachable } from "../api/problem.ts";

const API = "/api/v1";
/** A request that gets no answer in this time has failed. */
const DEADLINE_MS = 20_000;
/** A token is renewed this long before its end, so that no request meets it. */
const AHEAD_MS = 60_000;

type Tokens = { access_token: string; expires_in: number; user_id: string };
export type Me = Extract<
  Awaited<ReturnType<Awaited<ReturnType<typeof account.auth.me.$get>>["json"]>>,
  { data: unknown }
>["data"];
/** `expired`: somebody was signed in, and must be again before anything of patients is shown. */
export type Session = { status: "starting" | "signed_out" } | { status: "signed_in" | "expired"; me: Me };

let token: { value: string; until: number } | null = null;
let session: Session = { status: "starting" };
let renewal: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const tokenListeners = new Set<(token: string) => void>();

const open = hc<typeof publicAuth>(API);
const account = hc<typeof accountRoutes>(API, { fetch: authorized });
const sessions = hc<typeof authRoutes>(API, { fetch: authorized });

export const current = (): Session => session;
export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
/** Hears of each new access token, for sockets that outlive one. */
export function onToken(listener: (token: string) => void): () => void {
  tokenListeners.add(listener);
  return () => tokenListeners.delete(listener);
}

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function keep({ access_token, expires_in }: Tokens): void {
  token = { value: access_token, until: performance.now() + expires_in * 1000 };
  clearTimeout(renewal);
  renewal = setTimeout(() => renew().catch(() => undefined), Math.max(5_000, expires_in * 1000 - AHEAD_MS));
  for (const listener of tokenListeners) listener(access_token);
}

function end(): void {
  token = null;
  clearTimeout(renewal);
  become("me" in session ? { status: "expired", me: session.me } : { status: "signed_out" });
}

let renewing: Promise<boolean> | null = null;
/** One at a time, in this tab and in all: a refresh token that is used twice ends its session. */
export function renew(): Promise<boolean> {
  renewing ??= navigator.locks.request("edgecare.refresh", refresh).finally(() => {
    renewing = null;
  });
  return renewing;
}

/** @returns false when nobody is signed in any more; a server that does not answer says nothing about that */
async function refresh(): Promise<boolean> {
  const response = await open.auth.refresh.$post({ json: {} }).catch(unreachable);
  if (response.status === 200) {
    const { data } = await response.json();
    // Another tab signed somebody else in: what this one shows is not theirs.
    if ("me" in session && session.me.user_id !== data.user_id) {
      location.reload();
      return false;
    }
    keep(data);
    return true;
  }
  if (response.status === 401 || response.status === 403) end();
  else throw await problemOf(response);
  return false;
}

/** As fetch, with the access token, renewed where it has ended; nothing is asked twice for any other reason. */
export async function authorized(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  if ((token === null || token.until <= performance.now()) && !(await renew())) return refused();
  const used = token?.value;
  const response = await send(input, init, used);
  if (response.status !== 401) return response;
  // Somebody else may have renewed it meanwhile.
  if (token?.value === used && !(await renew())) return response;
  return send(input, init, token?.value);
}

function send(input: RequestInfo | URL, init: RequestInit, bearer: string | undefined): Promise<Response> {
  const headers = new Headers(init.headers);
  if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
  return fetch(input, { ...init, headers, signal: init.signal ?? AbortSignal.timeout(DEADLINE_MS) });
}

const refused = () =>
  Response.json(
    { code: "unauthenticated", detail: "", errors: [] },
    { status: 401, headers: { "Content-Type": "application/problem+json" } },
  );

/** For an upload, which reports its progress and therefore cannot be a fetch. @returns null when nobody is signed in */
export async function bearer(): Promise<string | null> {
  if ((token === null || token.until <= performance.now()) && !(await renew())) return null;
  return token?.value ?? null;
}

async function readMe(): Promise<Me> {
  const response = await account.auth.me.$get().catch(unreachable);
  if (response.status !== 200) throw await problemOf(response);
  return (await response.json()).data;
}

/** When the page opens: whoever the cookie says. @throws Problem when the server does not answer */
export async function start(): Promise<void> {
  if (!(await renew())) return become({ status: "signed_out" });
  become({ status: "signed_in", me: await readMe() });
}

/** @throws Problem `invalid_credentials`, `account_locked`, `unreachable` */
export async function signIn(name: string, password: string): Promise<void> {
  const who = name.includes("@") ? { email: name } : { username: name };
  const response = await open.auth.login.$post({ json: { ...who, password, transport: "cookie" } }).catch(unreachable);
  if (response.status !== 200) throw await problemOf(response);
  const { data } = await response.json();
  if ("me" in session && session.me.user_id !== data.user_id) {
    // The page behind the dialog is somebody else's.
    location.assign("/");
    return;
  }
  keep(data);
  become({ status: "signed_in", me: await readMe() });
}

/** Ends the session here whatever the server says; it is told, so that the refresh token ends too. */
export async function signOut(): Promise<void> {
  await sessions.auth.logout.$post().catch(() => undefined);
  token = null;
  // Everything that was read goes with the page.
  location.assign("/login");
}

/** Acts for another of the caller's hospitals; the page begins anew, for all that it shows belongs to the other. */
export async function switchHospital(hospitalId: string | null): Promise<void> {
  const response = await account.auth["switch-hospital"].$post({ json: { hospital_id: hospitalId } }).catch(unreachable);
  if (response.status !== 200) throw await problemOf(response);
  location.assign("/");
}

/** After a change of the own account. @throws Problem */
export async function reloadMe(): Promise<void> {
  if (session.status === "signed_in") become({ status: "signed_in", me: await readMe() });
}
