// The trend mark of a board row: a mark alone, without a colour of rank, with text for screen readers.
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "./trend-mark.module.css";
import { describeTrendBadge, type TrendState } from "./trend-state.ts";

export function TrendBadge({ state }: { state: TrendState }) {
  useTranslation();
  const badge = describeTrendBadge(state);
  if (!badge) return null;
  return (
    <span className={classes.badge} data-trend={state.kind} title={badge.full}>
      <span aria-hidden="true">{badge.short}</span>
      <span className="visually-hidden">{badge.full}</span>
    </span>
  );
}
