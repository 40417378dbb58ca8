// The choice of a ward to show the trend mark, with who chose it, when and why.
import { TREND_LABEL } from "../../monitoring/alarm-rules/trend-mark.ts";
import type { Keys } from "../../platform/config.ts";
import { sealValue, unsealValue } from "../../platform/crypto.ts";
import type { wards } from "../../platform/db/schema.ts";
import { toIsoOrNull } from "../../platform/time.ts";

type WardRow = typeof wards.$inferSelect;
type TrendColumns = Pick<WardRow, "trendMark" | "trendMarkReasonSealed" | "trendMarkBy" | "trendMarkAt">;
export type TrendChange = { trend_mark?: boolean | undefined; trend_mark_reason?: string | undefined };

/** Of a new ward. */
export const DEFAULT_TREND = { trendMark: 0, trendMarkReasonSealed: null, trendMarkBy: null, trendMarkAt: null } as const;

const reasonPlace = (wardId: string) => ({ table: "wards", column: "trend_mark_reason", id: wardId });

/** @returns the columns after a change, or nothing to change */
export async function toTrendColumns(
  keys: Keys,
  wardId: string,
  { trend_mark: isChosen, trend_mark_reason: reason }: TrendChange,
  by: string | null,
  now: number,
): Promise<Partial<TrendColumns>> {
  if (isChosen === undefined) return {};
  const sealed = reason === undefined ? null : await sealValue(keys.fields, reasonPlace(wardId), reason);
  return { trendMark: Number(isChosen), trendMarkReasonSealed: sealed, trendMarkBy: by, trendMarkAt: now };
}

/** As in responses. */
export async function toTrendChoice(
  keys: Keys,
  { id, trendMark, trendMarkReasonSealed, trendMarkBy, trendMarkAt }: TrendColumns & { id: string },
) {
  return {
    trend_mark: trendMark === 1,
    trend_mark_label: trendMark === 1 ? TREND_LABEL : null,
    trend_mark_reason:
      trendMarkReasonSealed === null ? null : String(await unsealValue(keys.fields, reasonPlace(id), trendMarkReasonSealed)),
    trend_mark_by: trendMarkBy,
    trend_mark_at: toIsoOrNull(trendMarkAt),
  };
}
