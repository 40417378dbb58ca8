// The NEWS2 profile of a ward: when its NEWS2 alerts sound, and who chose it, when and why.
import { type News2Profile, SUSTAINED_LABEL } from "../../monitoring/alarm-rules/sustained-profile.ts";
import type { Keys } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import type { wards } from "../../platform/db/schema.ts";
import { toIsoOrNull } from "../../platform/time.ts";

type WardRow = typeof wards.$inferSelect;
type ProfileColumns = Pick<WardRow, "news2Profile" | "news2ProfileReasonSealed" | "news2ProfileBy" | "news2ProfileAt">;
export type ProfileChange = { news2_profile?: News2Profile | undefined; news2_profile_reason?: string | undefined };

/** Of a new ward. */
export const DEFAULT_PROFILE = {
  news2Profile: "rcp",
  news2ProfileReasonSealed: null,
  news2ProfileBy: null,
  news2ProfileAt: null,
} as const;

const reasonPlace = (wardId: string) => ({ table: "wards", column: "news2_profile_reason", id: wardId });

/** @returns the columns after a change, or nothing to change */
export async function toProfileColumns(
  keys: Keys,
  wardId: string,
  { news2_profile: profile, news2_profile_reason: reason }: ProfileChange,
  by: string | null,
  now: number,
): Promise<Partial<ProfileColumns>> {
  if (profile === undefined) return {};
  const sealed = reason === undefined ? null : await sealValue(keys.fields, reasonPlace(wardId), reason);
  return { news2Profile: profile, news2ProfileReasonSealed: sealed, news2ProfileBy: by, news2ProfileAt: now };
}

/** As in responses. `label` says that the profile is not the RCP's. */
export async function toProfile(
  keys: Keys,
  { id, news2Profile, news2ProfileReasonSealed, news2ProfileBy, news2ProfileAt }: ProfileColumns & { id: string },
) {
  return {
    news2_profile: news2Profile,
    news2_profile_label: news2Profile === "sustained" ? SUSTAINED_LABEL : null,
    news2_profile_reason:
      news2ProfileReasonSealed === null
        ? null
        : String(await unsealValue(keys.fields, reasonPlace(id), news2ProfileReasonSealed)),
    news2_profile_by: news2ProfileBy,
    news2_profile_at: toIsoOrNull(news2ProfileAt),
  };
}
