// Names of passkeys, sealed, and a passkey as the API shows it.
import { z } from "zod";
import type { Keys } from "../../platform/config.ts";
import { sealValue } from "../../platform/crypto.ts";
import type { passkeys } from "../../platform/db/schema.ts";
import { readSealed } from "../../platform/sealed-documents.ts";
import { toIso, toIsoOrNull } from "../../platform/time.ts";

const sealContext = (id: string) => ({ table: "passkeys", column: "name", id });

export const sealPasskeyName = (keys: Keys, id: string, name: string): Promise<string> =>
  sealValue(keys.fields, sealContext(id), name);

export async function toPasskey(keys: Keys, row: typeof passkeys.$inferSelect) {
  return {
    passkey_id: row.id,
    name: await readSealed(keys.fields, sealContext(row.id), row.nameSealed, z.string()),
    is_backed_up: row.isBackedUp === 1,
    created_at: toIso(row.createdAt),
    last_used_at: toIsoOrNull(row.lastUsedAt),
  };
}
