// The mail address of a person, read at the time of sending, and only once the person has shown that it is theirs.
import { and, eq, isNotNull } from "drizzle-orm";
import { unsealProfile } from "../../access/profile.ts";
import { notificationSettings, users } from "../../platform/db/schema.ts";
import type { ChannelCall } from "../channel.ts";
import { portalPathOf } from "../links.ts";
import type { Refs } from "../notify.ts";
import type { TextLanguage } from "../text.ts";

/** To whom a mail goes, and what it leads to. */
export type Envelope = {
  address: string;
  /** A path of the portal, with the token of a letter in its fragment; null for a mail without a link. */
  path: string | null;
  language: TextLanguage;
  /** IANA name; null: UTC. */
  timeZone: string | null;
};

/** Null for somebody who has left, or whose address is not verified. @throws ApiError integrity_error */
export async function readRecipient(
  { db, keys }: ChannelCall,
  userId: string,
  kind: string,
  refs: Refs,
): Promise<Envelope | null> {
  const [row] = await db
    .select({
      id: users.id,
      profileSealed: users.profileSealed,
      language: notificationSettings.language,
      timeZone: notificationSettings.timeZone,
    })
    .from(users)
    .leftJoin(notificationSettings, eq(notificationSettings.userId, users.id))
    .where(and(eq(users.id, userId), eq(users.active, 1), isNotNull(users.emailVerifiedAt)));
  if (!row) return null;
  const { email } = await unsealProfile(keys, row);
  return { address: email, path: portalPathOf(kind, refs), language: row.language ?? "en", timeZone: row.timeZone };
}
