// Tickets of sign-ins whose password was right and whose second step is missing: signed, valid for five minutes, used once.
import { z } from "zod";
import type { Keys } from "../../platform/config.ts";
import { fromBase64Url, toBase64Url } from "../../platform/crypto.ts";
import { signToken, verifyToken } from "../../platform/signed-token.ts";

const Ticket = z.object({
  id: z.uuid(),
  userId: z.uuid(),
  /** Epoch milliseconds. */
  expiresAt: z.number().int(),
  /** A change of the password ends the sign-in. */
  passwordChangedAt: z.number().int(),
  /** The keyed index of the name that was typed, and the browser if the name is known there: who counts the attempts (lockout.ts). */
  nameIndex: z.string(),
  browser: z.object({ id: z.string(), isStaff: z.boolean() }).nullable(),
});
export type Ticket = z.infer<typeof Ticket>;

const macParts = (payload: string) => ["second step", payload];
const encoder = new TextEncoder();

export function signTicket(keys: Keys, ticket: Ticket): Promise<string> {
  const payload = toBase64Url(encoder.encode(JSON.stringify(ticket)));
  return signToken(keys.link, payload, ".", macParts(payload));
}

/** Null for anything but an unexpired ticket of this service. */
export async function readTicket(keys: Keys, text: string, now: number): Promise<Ticket | null> {
  const payload = await verifyToken(keys.link, text, ".", macParts);
  const bytes = payload === null ? null : fromBase64Url(payload);
  if (!bytes) return null;
  const ticket = Ticket.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return ticket.expiresAt > now ? ticket : null;
}
