// From a request to a socket of the hospital's feed: who asks, may they, and the upgrade.
import type { Context } from "hono";
import { type Call, idOf } from "../../access/actor.ts";
import { actorOf } from "../../accounts/sessions/authenticate.ts";
import { corsOrigins } from "../../accounts/sessions/cookies.ts";
import { limitCaller } from "../../http/rate-limit.ts";
import type { AppEnv } from "../../http/router.ts";
import { ApiError } from "../../platform/errors.ts";
import { atObject } from "../intake/ingest.ts";
import type { Handshake } from "./clients.ts";
import { type Asked, type Opened, openView } from "./opening.ts";
import { actorOfTicket, endOfToken, readTicket, signTicket, type Ticket, ticketFor } from "./tickets.ts";
import { viewKey } from "./views.ts";

type Offer = { call: Call; asked: Asked; ticket: Ticket | null; ends: number | null };

const bearerOf = (c: Context<AppEnv>) => (c.req.header("Authorization") ?? "").replace(/^Bearer /i, "");

/** A ticket for 30 seconds and one use. @throws ApiError as openView */
export async function issueTicket(c: Context<AppEnv>, asked: Asked) {
  const call = c.get("call");
  const opened = await openView(call, asked, "live.ticket");
  const ends = opened.call.actor.kind === "user" ? endOfToken(bearerOf(c)) : null;
  const ticket = ticketFor(opened, ends);
  const text = await signTicket(call.keys, ticket);
  const url = new URL(`/api/v1/live?ticket=${text}`, c.req.url);
  url.protocol = url.protocol.replace("http", "ws");
  return { ticket: text, expires_at: new Date(ticket.expires).toISOString(), url: url.toString() };
}

/** Browsers apply no CORS to a WebSocket; programs send no Origin. @throws ApiError origin_forbidden */
export function refuseOrigin(c: Context<AppEnv>): void {
  const origin = c.req.header("Origin");
  if (origin === undefined || origin === new URL(c.req.url).origin || corsOrigins(c.env).includes(origin)) return;
  throw new ApiError("origin_forbidden");
}

/**
 * Who asks, by ticket or by token. Uses nothing up yet.
 * @throws ApiError unauthenticated, rate_limited
 */
export async function offerOf(c: Context<AppEnv>, ticketText: string | undefined, asked: Asked): Promise<Offer> {
  const open = c.get("call");
  const { keys, now } = open;
  try {
    const ticket = ticketText === undefined ? null : await readTicket(keys, ticketText, now);
    const actor = ticket
      ? actorOfTicket(ticket, open.actor.via)
      : await actorOf(c.env, keys, c.req.header("Authorization"), open.actor.via, now);
    const call = { ...open, actor };
    c.set("call", call);
    await limitCaller(c.env, actor);
    const ends = ticket ? ticket.tokenEnds : actor.kind === "user" ? endOfToken(bearerOf(c)) : null;
    return { call, asked: ticket?.asked ?? asked, ticket, ends };
  } catch (error) {
    // Guessing counts against the address.
    if (c.get("call").actor.kind === "anonymous") await limitCaller(c.env, open.actor);
    throw error;
  }
}

/**
 * Uses the ticket up, asks the gate and upgrades.
 * @param since the last number that the caller has seen, or null
 * @returns the socket's other end, not accepted yet  @throws ApiError as openView, rate_limited (too many sockets of one session)
 */
export async function connect(
  c: Context<AppEnv>,
  { call, asked, ticket, ends }: Offer,
  since: number | null,
): Promise<WebSocket> {
  const feeds = c.env.WARD_FEED;
  const redeem = async ({ feed, id, expires }: Ticket) => feeds.getByName(feed).redeem(id, expires);
  if (ticket && !(await atObject(c.env, () => redeem(ticket), false))) throw new ApiError("unauthenticated");
  const opened = await openView(call, asked, "live.open");
  const handshake = await handshakeOf(opened, ends, since);
  const headers = { Upgrade: "websocket", "X-Live": JSON.stringify(handshake) };
  const feed = feeds.getByName(opened.hospitalId);
  const { status, webSocket } = await atObject(c.env, async () => feed.fetch("https://feed/", { headers }), false);
  if (webSocket) return webSocket;
  if (status === 401) throw new ApiError("unauthenticated");
  if (status === 404) throw new ApiError("not_found");
  if (status === 429) {
    throw new ApiError("rate_limited", "Close a live view first: one session has at most ten.", {
      headers: { "Retry-After": "5" },
    });
  }
  throw new ApiError("unavailable");
}

async function handshakeOf({ call, standing, hospitalId, requested }: Opened, ends: number | null, since: number | null) {
  const { actor } = call;
  const holder =
    actor.kind === "user"
      ? { kind: actor.kind, userId: actor.userId, sessionId: actor.sessionId }
      : { kind: actor.kind, credentialId: idOf(actor), hospitalId: actor.hospitalId };
  const view = await viewKey(standing, holder, requested);
  const seat = { holder, role: standing.role, actingFor: standing.hospitalId, view };
  return { seat, hospitalId, requested: requested && [...requested], expires: ends, since } satisfies Handshake;
}
