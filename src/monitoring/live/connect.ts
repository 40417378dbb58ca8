// Opening of a live socket: authentication, access check and upgrade at the hospital's feed.

import type { Context } from "hono";
import { type Call, getActorId } from "../../access/actor.ts";
import { readActor } from "../../accounts/sessions/authenticate.ts";
import { allowedOrigins } from "../../accounts/sessions/refresh-cookie.ts";
import { countProvenSession, limitCaller, limitInvalidCredentials } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import { getPublicOrigin } from "../../platform/config.ts";
import { ApiError } from "../../platform/errors.ts";
import { toIso } from "../../platform/time.ts";
import { callMonitor } from "../intake/ingest.ts";
import type { Handshake } from "./clients.ts";
import { type OpenedView, openView, type RequestedView } from "./open-view.ts";
import { createTicket, signTicket, type Ticket, toActor, tokenExpiresAt, verifyTicket } from "./tickets.ts";
import { toViewKey } from "./visibility.ts";

/** `expiresAt`: when a user's token expires; null for an app, whose key the access check reads. */
type LiveRequest = { call: Call; requestedView: RequestedView; ticket: Ticket | null; expiresAt: number | null };

const readBearerToken = (c: Context<AppEnv>) => (c.req.header("Authorization") ?? "").replace(/^Bearer /i, "");

/** Issues a ticket, valid for 30 seconds and one use. @throws ApiError as openView */
export async function issueTicket(c: Context<AppEnv>, requestedView: RequestedView) {
  const call = c.get("call");
  const opened = await openView(call, requestedView, "live.ticket");
  const expiresAt = opened.call.actor.kind === "user" ? tokenExpiresAt(readBearerToken(c)) : null;
  const ticket = createTicket(opened, expiresAt);
  const text = await signTicket(call.keys, ticket);
  const url = new URL(`/api/v1/live?ticket=${text}`, getPublicOrigin(c.env));
  url.protocol = url.protocol.replace("http", "ws");
  return { ticket: text, expires_at: toIso(ticket.expires), url: url.toString() };
}

/** Browsers apply no CORS to a WebSocket; programs send no Origin. @throws ApiError origin_forbidden */
export function denyForeignOrigin(c: Context<AppEnv>): void {
  const origin = c.req.header("Origin");
  if (origin === undefined || origin === new URL(c.req.url).origin || allowedOrigins(c.env).includes(origin)) return;
  throw new ApiError("origin_forbidden");
}

/**
 * Authenticates the caller by ticket or token. Does not redeem the ticket.
 * @throws ApiError unauthenticated, rate_limited
 */
export async function authenticate(
  c: Context<AppEnv>,
  ticketText: string | undefined,
  requestedView: RequestedView,
): Promise<LiveRequest> {
  const anonymousCall = c.get("call");
  const { keys, now } = anonymousCall;
  try {
    const ticket = ticketText === undefined ? null : await verifyTicket(keys, ticketText, now);
    const actor = ticket
      ? toActor(ticket, anonymousCall.actor.via)
      : await readActor(c.env, keys, c.req.header("Authorization"), anonymousCall.actor.via, now);
    const call = { ...anonymousCall, actor };
    c.set("call", call);
    await limitCaller(c);
    const expiresAt = ticket ? ticket.tokenEnds : actor.kind === "user" ? tokenExpiresAt(readBearerToken(c)) : null;
    return { call, requestedView: ticket?.asked ?? requestedView, ticket, expiresAt };
  } catch (error) {
    // Failed attempts count against the rate limit of the address.
    if (c.get("call").actor.kind === "anonymous") await limitInvalidCredentials(c);
    throw error;
  }
}

/**
 * Redeems the ticket, checks access and upgrades.
 * @param since the last `seq` that the caller has received, or null
 * @returns the client end of the socket, not accepted yet  @throws ApiError as openView, rate_limited (too many sockets of one session)
 */
export async function connect(
  c: Context<AppEnv>,
  { call, requestedView, ticket, expiresAt }: LiveRequest,
  since: number | null,
): Promise<WebSocket> {
  const feeds = c.env.WARD_FEED;
  const redeem = async ({ feed, id, expires }: Ticket) => feeds.getByName(feed).redeemTicket(id, expires);
  if (ticket && !(await callMonitor(c.env, () => redeem(ticket), false))) throw new ApiError("unauthenticated");
  const opened = await openView(call, requestedView, "live.open");
  await countProvenSession(c);
  const handshake = await buildHandshake(opened, expiresAt, since);
  const headers = { Upgrade: "websocket", "X-Live": JSON.stringify(handshake) };
  const feed = feeds.getByName(opened.hospitalId);
  const { status, webSocket } = await callMonitor(c.env, async () => feed.fetch("https://feed/", { headers }), false);
  if (webSocket) return webSocket;
  if (status === 401) throw new ApiError("unauthenticated");
  if (status === 404) throw new ApiError("not_found");
  if (status === 429) {
    throw new ApiError(
      "rate_limited",
      "Too many live views are open: 10 per session, 20 per user and 5 per patient's account are allowed.",
      {
        headers: { "Retry-After": "5" },
      },
    );
  }
  throw new ApiError("unavailable");
}

async function buildHandshake(
  { call, effectiveRole, hospitalId, requested, isInEmergency, keyExpiresAt }: OpenedView,
  tokenExpiry: number | null,
  since: number | null,
) {
  const { actor } = call;
  const holder =
    actor.kind === "user"
      ? { kind: actor.kind, userId: actor.userId, sessionId: actor.sessionId }
      : { kind: actor.kind, credentialId: getActorId(actor), hospitalId: actor.hospitalId };
  const view = await toViewKey(effectiveRole, holder, { requested, hospitalId, isInEmergency });
  const subscription = { holder, role: effectiveRole.role, actingFor: effectiveRole.hospitalId, view };
  const expires = keyExpiresAt ?? tokenExpiry;
  const { requestId, ip } = actor.via;
  const opening = { expires, since, requestId, ip };
  return { subscription, hospitalId, requested: requested && [...requested], ...opening } satisfies Handshake;
}
