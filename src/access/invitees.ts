// The sealed invitee of an invitation: e-mail address and full name, as entered by the inviting person.
import { z } from "zod";
import type { Keys } from "../platform/config.ts";
import { sealValue } from "../platform/crypto.ts";
import { readSealed } from "../platform/sealed-documents.ts";

const Invitee = z.object({ email: z.string(), full_name: z.string().nullable() });
export type Invitee = z.infer<typeof Invitee>;
const sealContext = (id: string) => ({ table: "invitations", column: "invitee", id });

export function sealInvitee(keys: Keys, id: string, invitee: Invitee): Promise<string> {
  return sealValue(keys.fields, sealContext(id), invitee);
}

/** @throws ApiError integrity_error */
export function unsealInvitee(keys: Keys, row: { id: string; inviteeSealed: string }): Promise<Readonly<Invitee>> {
  return readSealed(keys.fields, sealContext(row.id), row.inviteeSealed, Invitee);
}
