// Cells of a board row. Props are primitive values, so that memoised cells render only on change.
import { memo } from "react";
import type { DisplayPriority } from "../../platform/design/display-priority.ts";
import { formatAge, formatDateTime, formatNumber, formatShortTime } from "../../platform/design/format.ts";
import scores from "../../platform/design/score.module.css";
import { t, translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { CUSTOM_LIMITS_MARK } from "../live/custom-limits.ts";
import type { Freshness } from "../live/freshness.ts";
import type { DisplayScore } from "../live/patient-state.ts";
import { findShortParameterAbbreviation } from "../vitals/abbreviations.ts";
import classes from "./cells.module.css";

/** Age from which it is shown beside the value, seconds. */
const MIN_SHOWN_AGE_S = 60;

type ValueCellProps = {
  text: string;
  freshness: Freshness;
  ageS: number | null;
  alarm: DisplayPriority | null;
  isInvalid: boolean;
  /** Marker and text of the patient's own limits, or text of the ward's limits. */
  ranges: string | null;
  customLimits: string | null;
};

export const ValueCell = memo(function ValueCell({
  text,
  freshness,
  ageS,
  alarm,
  isInvalid,
  ranges,
  customLimits,
}: ValueCellProps) {
  useTranslation();
  const ageText = ageS !== null && (freshness === "stale" || ageS >= MIN_SHOWN_AGE_S) ? formatShortAge(ageS) : null;
  return (
    <td className={classes.value} data-state={freshness} data-alarm={alarm ?? undefined} title={customLimits ?? undefined}>
      <span className={classes.number}>{isInvalid ? <del>{text}</del> : text}</span>
      <ValueNote freshness={freshness} isInvalid={isInvalid} old={ageText} ranges={ranges} />
      {customLimits && <span className="visually-hidden">{customLimits}</span>}
    </td>
  );
});

/** Seconds are abbreviated: the Hindi word is wider than the cell when limits are marked beside it. */
const formatShortAge = (ageS: number) => (ageS < MIN_SHOWN_AGE_S ? t("ward.seconds", { n: Math.floor(ageS) }) : formatAge(ageS));

type NoteProps = { freshness: Freshness; isInvalid: boolean; old: string | null; ranges: string | null };

/** Notes below a value, with screen reader text for what is only drawn. */
function ValueNote({ freshness, isInvalid, old, ranges }: NoteProps) {
  const shown = freshness === "missing" || isInvalid ? null : old;
  return (
    <>
      {(isInvalid || shown !== null || ranges !== null) && (
        <small className={classes.note}>
          {isInvalid && t("ward.invalid")}
          {shown !== null && <span aria-hidden="true">{shown}</span>}
          {ranges !== null && (
            <span className={classes.mark} aria-hidden="true">
              {CUSTOM_LIMITS_MARK} <span className={classes.ranges}>{ranges}</span>
            </span>
          )}
        </small>
      )}
      {freshness === "missing" && <span className="visually-hidden">{t("ward.no_value")}</span>}
      {shown !== null && (
        <span className="visually-hidden">
          {freshness === "stale" ? t("ward.no_data_for", { age: shown }) : t("common.ago", { age: shown })}
        </span>
      )}
    </>
  );
}

/** Ages render in whole seconds, then whole minutes, to save renders. */
export const roundAge = (ageS: number | null): number | null =>
  ageS === null ? null : ageS < MIN_SHOWN_AGE_S ? Math.floor(ageS) : Math.floor(ageS / 60) * 60;

/** Values without a visible age need no render every second below one minute. */
export const roundValueAge = (ageS: number | null, freshness: Freshness): number | null =>
  ageS !== null && ageS < MIN_SHOWN_AGE_S && freshness !== "stale" ? 0 : roundAge(ageS);

const abbreviateParameter = (parameter: string) =>
  findShortParameterAbbreviation(parameter) ?? translateCode("ward.short", parameter);

/** The score, or the parameters that it lacks. A score that is not current is grey, with its time. */
export const ScoreCell = memo(function ScoreCell({ score }: { score: DisplayScore }) {
  useTranslation();
  switch (score.kind) {
    case "score":
      return (
        <td
          className={classes.score}
          title={
            score.notCurrent
              ? t(score.notCurrent.isOverdue ? "score.overdue" : "score.not_current", {
                  time: formatDateTime(score.notCurrent.asOf),
                })
              : undefined
          }
        >
          <span
            className={`${scores.band} ${classes.square}`}
            data-band={score.band}
            data-not-current={score.notCurrent ? true : undefined}
          >
            {score.score}
          </span>
          {score.notCurrent && (
            <>
              <small className={classes.lack} aria-hidden="true">
                {formatShortTime(score.notCurrent.asOf)}
              </small>
              <span className="visually-hidden">
                {t(score.notCurrent.isOverdue ? "score.overdue" : "score.not_current", {
                  time: formatDateTime(score.notCurrent.asOf),
                })}
              </span>
            </>
          )}
        </td>
      );
    case "needs": {
      const [first = "", ...others] = score.what;
      const allParameters = score.what.map((name) => translateCode("ward.parameter", name)).join(", ");
      return (
        <td className={classes.score} title={t("score.none_missing", { what: allParameters })}>
          <small className={classes.lack} aria-hidden="true">
            {others.length > 0
              ? t("ward.needs_more", { what: abbreviateParameter(first), n: others.length })
              : t("ward.needs", { what: abbreviateParameter(first) })}
          </small>
          <span className="visually-hidden">{t("score.none_missing", { what: allParameters })}</span>
        </td>
      );
    }
    case "not_applicable":
      return (
        <td className={classes.score} title={translateCode("score.not_applicable", score.reason)}>
          <small className={classes.lack} aria-hidden="true">
            {translateCode("ward.short_na", score.reason)}
          </small>
          <span className="visually-hidden">{translateCode("score.not_applicable", score.reason)}</span>
        </td>
      );
    case "unknown":
      return (
        <td className={classes.score}>
          <span aria-hidden="true">—</span>
          <span className="visually-hidden">{t("ward.no_score")}</span>
        </td>
      );
  }
}, isSameScore);

function isSameScore({ score: a }: { score: DisplayScore }, { score: b }: { score: DisplayScore }): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

type UpdatedProps = {
  freshness: Freshness;
  ageS: number | null;
  /** False: that there is no time means that it is not known. */
  isKnown: boolean;
  due: DueText;
};
/** When the next set is due: `text` as drawn, `full` for readers and as a hint. */
type DueText = { kind: string; text: string; full: string };

const isSameUpdate = (a: UpdatedProps, b: UpdatedProps): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The last update. Narrow tables, which have no column for it, show below when the next set is due. */
export const UpdatedCell = memo(function UpdatedCell({ freshness, ageS, isKnown, due }: UpdatedProps) {
  useTranslation();
  const dueLine = (
    <small className={classes.dueLine} data-due={due.kind} title={due.full}>
      {due.kind === "none" ? null : due.text}
    </small>
  );
  if (ageS === null) {
    return (
      <td className={classes.updated} data-state="missing">
        <span aria-hidden="true">⋯</span>
        <span className="visually-hidden">{t(isKnown ? "ward.never" : "common.unknown")}</span>
        {dueLine}
      </td>
    );
  }
  return (
    <td className={classes.updated} data-state={freshness}>
      {freshness === "stale" ? (
        <>
          <span aria-hidden="true">{formatAge(ageS)}</span>
          <span className="visually-hidden">{t("ward.no_data_for", { age: formatAge(ageS) })}</span>
        </>
      ) : (
        formatAge(ageS)
      )}
      {dueLine}
    </td>
  );
}, isSameUpdate);

export const DueCell = memo(function DueCell({ kind, text, full }: DueText) {
  useTranslation();
  return (
    <td className={classes.due} data-due={kind} title={full}>
      <span aria-hidden="true">{text}</span>
      <span className="visually-hidden">{full}</span>
    </td>
  );
});

/** "↓ 6", and the same as text. */
export function TrendChange({ change, digits }: { change: number; digits: number }) {
  const size = formatNumber(Math.abs(change), digits);
  const isUnchanged = Number(Math.abs(change).toFixed(digits)) === 0;
  const changeText = isUnchanged ? t("ward.same") : change > 0 ? t("ward.up", { n: size }) : t("ward.down", { n: size });
  return (
    <>
      <span aria-hidden="true">{isUnchanged ? "→" : `${change > 0 ? "↑" : "↓"} ${size}`}</span>
      <span className="visually-hidden">{changeText}</span>
    </>
  );
}
