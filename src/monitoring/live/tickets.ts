// Tickets of browsers, which cannot send a token with a WebSocket: 30 seconds, once, for the caller and the view that were let in.
import { z } from "zod";
import type { Actor, Principal, RequestOrigin } from "../../access/actor.ts";
import type { Keys } from "../../platform/config.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import { ROLES } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { uuidv7 } from "../../platform/ids.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";
import type { OpenedView } from "./open-view.ts";

export const TICKET_LIFETIME_MS = 30_000;

const EffectiveRoleSchema = z.strictObject({
  role: z.enum(ROLES),
  hospitalId: z.string().nullable(),
  doctorScope: z.enum(["care_team", "hospital"]),
});
const Ticket = z.strictObject({
  /** What makes it one: the feed remembers it. */
  id: z.uuid(),
  expires: z.int(),
  /** The hospital whose feed it opens. */
  feed: z.string(),
  holder: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("user"), userId: z.uuid(), sessionId: z.uuid(), claimed: EffectiveRoleSchema }),
    z.strictObject({ kind: z.literal("app"), credentialId: z.uuid(), hospitalId: z.string() }),
  ]),
  asked: z.strictObject({ patientIds: z.array(z.uuid()).nullable(), hospitalId: z.uuid().nullable() }),
  /** When the token ends with which it was asked for; null for none. */
  tokenEnds: z.int().nullable(),
});
export type Ticket = z.infer<typeof Ticket>;

const ticketMacParts = (payload: string) => ["live ticket", payload];

export function signTicket(keys: Keys, ticket: Ticket): Promise<string> {
  const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(ticket)));
  return signToken(keys.link, payload, ".", ticketMacParts(payload));
}

/** Whether it was used already is for its feed to say. @throws ApiError unauthenticated for what is not a ticket of ours or is over */
export async function verifyTicket(keys: Keys, text: string, now: number): Promise<Ticket> {
  const payload = await verifyToken(keys.link, text, ".", ticketMacParts);
  const bytes = payload === null ? null : fromBase64Url(payload);
  if (!bytes) throw new ApiError("unauthenticated");
  const ticket = Ticket.parse(JSON.parse(new TextDecoder().decode(bytes)));
  // One that outlives the limit was signed by a version with another one; it counts for nothing here.
  if (ticket.expires <= now || ticket.expires > now + TICKET_LIFETIME_MS) throw new ApiError("unauthenticated");
  return ticket;
}

function toTicketHolder(actor: Principal): Ticket["holder"] {
  if (actor.kind === "app") return { kind: "app", credentialId: actor.credentialId, hospitalId: actor.hospitalId };
  const { userId, sessionId, claimedRole: claimed } = actor;
  return { kind: "user", userId, sessionId, claimed };
}

/** Who holds the ticket, for the gate, which asks the database again. */
export function toActor({ holder }: Ticket, via: RequestOrigin): Actor {
  // The MAC has proved the credential; only its state counts from here.
  if (holder.kind === "app") return { ...holder, secretHash: null, via };
  const { claimed: claimedRole, ...user } = holder;
  return { ...user, claimedRole, via };
}

/** A ticket for a view that the gate has just let the caller into. @param tokenEnds epoch milliseconds */
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

const ExpiryClaim = z.object({ exp: z.int() });

/** When an access token ends, epoch milliseconds; null for a token without an end. Of a token that was verified already. */
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
