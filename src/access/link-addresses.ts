// The sealed address that an e-mail link is about, which is not always the account's: a new one, or the former one.
import { z } from "zod";
import type { Keys } from "../platform/config.ts";
import { sealValue } from "../platform/crypto.ts";
import { readSealed } from "../platform/sealed-documents.ts";

const LinkAddress = z.object({ email: z.string() });
const sealContext = (id: string) => ({ table: "email_links", column: "address", id });

export function sealLinkAddress(keys: Keys, id: string, email: string): Promise<string> {
  return sealValue(keys.fields, sealContext(id), { email });
}

/** The address of a row of `email_links`. @throws ApiError integrity_error */
export async function unsealLinkAddress(keys: Keys, row: { id: string; addressSealed: string }): Promise<string> {
  return (await readSealed(keys.fields, sealContext(row.id), row.addressSealed, LinkAddress)).email;
}
