// The client of a session, as its list shows it: sealed with the row.
import { z } from "zod";
import type { Keys } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";

const SessionClient = z.object({ user_agent: z.string().nullable(), ip: z.string().nullable() });
export type SessionClient = z.infer<typeof SessionClient>;
const sealContext = (id: string) => ({ table: "sessions", column: "client", id });

/** @param id of the session */
export const sealSessionClient = (keys: Keys, id: string, client: SessionClient): Promise<string> =>
  sealValue(keys.fields, sealContext(id), client);

export async function readSessionClient(keys: Keys, row: { id: string; clientSealed: string }): Promise<SessionClient> {
  return SessionClient.parse(await unsealValue(keys.fields, sealContext(row.id), row.clientSealed));
}
