// The mail address of a person, read at the time of sending, and only once the person has shown that it is theirs.
import { and, eq, isNotNull, sql } from "drizzle-orm";
import { unsealProfile } from "../../access/profile.ts";
import { notificationSettings, users } from "../../platform/db/schema.ts";
import type { ChannelCall } from "../channel.ts";
import { portalPathOf } from "../links.ts";
import type { Refs } from "../notify.ts";
import type { TextLanguage } from "../texts/kind-text.ts";

/** To whom a mail goes, and what it leads to. */
export type Envelope = {
  address: string;
  /** A path of the portal, with the token of a letter in its fragment; null for a mail without a link. */
  path: string | null;
  language: TextLanguage;
  /** IANA name; null: UTC. */
  timeZone: string | null;
};

export type Recipient = Pick<typeof users.$inferSelect, "id" | "profileSealed"> & {
  language: TextLanguage | null;
  timeZone: string | null;
};

/** In one round trip and by id; without those who have left, or whose address is not verified. */
export async function readRecipients(
  { db }: Pick<ChannelCall, "db">,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, Recipient>> {
  const rows = await db
    .select({
      id: users.id,
      profileSealed: users.profileSealed,
      language: notificationSettings.language,
      timeZone: notificationSettings.timeZone,
    })
    .from(users)
    .leftJoin(notificationSettings, eq(notificationSettings.userId, users.id))
    .where(
      and(
        sql`${users.id} IN (SELECT value FROM json_each(${JSON.stringify(userIds)}))`,
        eq(users.active, 1),
        isNotNull(users.emailVerifiedAt),
      ),
    );
  return new Map(rows.map((row) => [row.id, row]));
}

/** @throws ApiError integrity_error */
export async function toEnvelope({ keys }: ChannelCall, row: Recipient, kind: string, refs: Refs): Promise<Envelope> {
  const { email } = await unsealProfile(keys, row);
  return { address: email, path: portalPathOf(kind, refs), language: row.language ?? "en", timeZone: row.timeZone };
}
