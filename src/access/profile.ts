// The sealed profile of an account: its e-mail address, user name and full name.
import { z } from "zod";
import type { Keys } from "../platform/config.ts";
import { sealValue } from "../platform/crypto.ts";
import { readSealed } from "../platform/sealed-documents.ts";

const Profile = z.object({ email: z.string(), username: z.string().nullable(), full_name: z.string() });
export type Profile = z.infer<typeof Profile>;
const sealContext = (id: string) => ({ table: "users", column: "profile", id });

export function sealProfile(keys: Keys, id: string, profile: Profile): Promise<string> {
  return sealValue(keys.fields, sealContext(id), profile);
}

export function unsealProfile(keys: Keys, user: { id: string; profileSealed: string }): Promise<Readonly<Profile>> {
  return readSealed(keys.fields, sealContext(user.id), user.profileSealed, Profile);
}
