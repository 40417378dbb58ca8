// Pure judgement of a trend mark for screens: one whose readings are too old is not shown as present.
import type { TrendMarkView } from "../../../../src/monitoring/patient-object/contract.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import { t } from "../../platform/messages/translate.ts";
import type { ViewContext } from "../live/patient-state.ts";

export type TrendState =
  /** The ward does not use the mark. */
  | { kind: "off" }
  | { kind: "up"; since: string }
  | { kind: "none" }
  /** `asOf`: the last reading, which is overdue. */
  | { kind: "old"; asOf: string }
  | { kind: "unknown"; why: "few" | "not_live" };

export function judgeTrendMark(view: TrendMarkView | null | undefined, { now, connection }: ViewContext): TrendState {
  if (!view) return { kind: "off" };
  if (connection !== "live") return { kind: "unknown", why: "not_live" };
  const { status, as_of, overdue_at, marked_since } = view;
  if (as_of !== null && (status === "overdue" || (overdue_at !== null && now > Date.parse(overdue_at))))
    return { kind: "old", asOf: as_of };
  if (status === "up" && marked_since !== null) return { kind: "up", since: marked_since };
  return status === "none" ? { kind: "none" } : { kind: "unknown", why: "few" };
}

/** The mark of a board row, as drawn and for screen readers; null for none. */
export function describeTrendBadge(state: TrendState): { short: string; full: string } | null {
  switch (state.kind) {
    case "up":
      return { short: t("trend_mark.short_up"), full: t("trend_mark.up") };
    case "old":
      return { short: t("trend_mark.short_unknown"), full: t("trend_mark.old", { time: formatDateTime(state.asOf) }) };
    case "unknown":
      return { short: t("trend_mark.short_unknown"), full: t("trend_mark.unknown") };
    case "none":
    case "off":
      return null;
  }
}
