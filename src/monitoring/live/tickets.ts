// Live tickets: signed, valid for 30 seconds and one use. For browsers, which cannot send a token with a WebSocket.
import { z } from "zod";
import type { Actor, Principal, RequestOrigin } from "../../access/actor.ts";
import { verifyAccessToken } from "../../accounts/sessions/access-tokens.ts";
import { getKeys, type Keys } from "../../platform/config.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import { ROLES } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";
import type { OpenedView } from "./open-view.ts";
import type { Subscription } from "./visibility.ts";

export const TICKET_LIFETIME_MS = 30_000;

const EffectiveRoleSchema = z.strictObject({
  role: z.enum(ROLES),
  hospitalId: z.string().nullable(),
  doctorScope: z.enum(["care_team", "hospital"]),
});
const Ticket = z.strictObject({
  /** Recorded by the feed when redeemed. */
  id: z.uuid(),
  expires: z.int(),
  /** The hospital whose feed it opens. */
  feed: z.string(),
  holder: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("user"), userId: z.uuid(), sessionId: z.uuid(), claimed: EffectiveRoleSchema }),
    z.strictObject({ kind: z.literal("app"), credentialId: z.uuid(), hospitalId: z.string() }),
  ]),
  asked: z.strictObject({ patientIds: z.array(z.uuid()).nullable(), hospitalId: z.uuid().nullable() }),
  /** When the access token that requested it expires, epoch milliseconds; null for none. */
  tokenEnds: z.int().nullable(),
});
export type Ticket = z.infer<typeof Ticket>;

const ticketMacParts = (payload: string) => ["live ticket", payload];

export function signTicket(keys: Keys, ticket: Ticket): Promise<string> {
  const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(ticket)));
  return signToken(keys.link, payload, ".", ticketMacParts(payload));
}

/** Does not check whether the ticket was redeemed; the feed does. @throws ApiError unauthenticated for an invalid or expired ticket */
export async function verifyTicket(keys: Keys, text: string, now: number): Promise<Ticket> {
  const payload = await verifyToken(keys.link, text, ".", ticketMacParts);
  const bytes = payload === null ? null : fromBase64Url(payload);
  if (!bytes) throw new ApiError("unauthenticated");
  const ticket = Ticket.parse(JSON.parse(new TextDecoder().decode(bytes)));
  // A later expiry comes from a version with a longer lifetime, which is not accepted here.
  if (ticket.expires <= now || ticket.expires > now + TICKET_LIFETIME_MS) throw new ApiError("unauthenticated");
  return ticket;
}

function toTicketHolder(actor: Principal): Ticket["holder"] {
  if (actor.kind === "app") return { kind: "app", credentialId: actor.credentialId, hospitalId: actor.hospitalId };
  const { userId, sessionId, claimedRole: claimed } = actor;
  return { kind: "user", userId, sessionId, claimed };
}

/** The holder as an actor for the access check, which reads the database again. */
export function toActor({ holder }: Ticket, via: RequestOrigin): Actor {
  // The MAC proves the credential; the access check only reads its state.
  if (holder.kind === "app") return { ...holder, secretHash: null, via };
  const { claimed: claimedRole, ...user } = holder;
  return { ...user, claimedRole, via };
}

/** A ticket for a view to which the caller has been granted access. @param tokenEnds epoch milliseconds */
export function createTicket({ call, hospitalId, requested }: OpenedView, tokenEnds: number | null): Ticket {
  return {
    id: uuidv7(),
    expires: call.now + TICKET_LIFETIME_MS,
    feed: hospitalId,
    holder: toTicketHolder(call.actor),
    asked: requested ? { patientIds: [...requested], hospitalId: null } : { patientIds: null, hospitalId },
    tokenEnds,
  };
}

/** Whether a valid access token belongs to the holder's session. */
export async function isTokenOfHolder(env: Env, holder: Subscription["holder"], jwt: string): Promise<boolean> {
  const keys = await getKeys(env);
  const token = await verifyAccessToken(env, keys.jwt, jwt, Date.now()).catch(() => null);
  return holder.kind === "user" && token?.userId === holder.userId && token.sessionId === holder.sessionId;
}

const ExpiryClaim = z.object({ exp: z.int() });

/** When a verified access token expires, epoch milliseconds; null when it does not. */
export function tokenExpiresAt(jwt: string): number | null {
  const bytes = fromBase64Url(jwt.split(".")[1] ?? "");
  const claims = bytes ? ExpiryClaim.safeParse(parseJson(bytes)) : null;
  return claims?.success ? claims.data.exp * 1000 : null;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
