// The trend mark on a patient's page, with its numbers and times. Nothing where the ward does not use it.
import { formatDateTime, formatNumber } from "../../platform/design/format.ts";
import { t, useTranslation } from "../../platform/messages/translate.ts";
import { useServerNow } from "../live/use-live.ts";
import { useCurrentVitals } from "../vitals/use-current-vitals.ts";
import classes from "./trend-mark.module.css";
import { judgeTrendMark, type TrendState } from "./trend-state.ts";

export function TrendLine({ patientId }: { patientId: string }) {
  useTranslation();
  const { currentVitals } = useCurrentVitals(patientId);
  const now = useServerNow();
  const view = currentVitals?.trendMark;
  if (!currentVitals || !view) return null;
  const state = judgeTrendMark(view, { now, connection: currentVitals.connection });
  const isKnown = state.kind === "up" || state.kind === "none";
  return (
    <p className={classes.line}>
      <span className={classes.name}>{t("trend_mark.name")}</span> <strong>{describe(state)}</strong>
      {isKnown && view.smoothed_score !== null && view.as_of !== null && (
        <span>{t("trend_mark.smoothed", { score: formatNumber(view.smoothed_score, 1), time: formatDateTime(view.as_of) })}</span>
      )}
      {isKnown && view.fever_at !== null && <span>{t("trend_mark.fever", { time: formatDateTime(view.fever_at) })}</span>}
    </p>
  );
}

function describe(state: TrendState): string {
  switch (state.kind) {
    case "up":
      return t("trend_mark.state.up", { time: formatDateTime(state.since) });
    case "old":
      return t("trend_mark.state.old", { time: formatDateTime(state.asOf) });
    case "unknown":
      return t(state.why === "few" ? "trend_mark.state.few" : "trend_mark.state.not_live");
    case "none":
    case "off":
      return t("trend_mark.state.none");
  }
}
