// NEWS2 score with its parts, or with what is missing; an overdue one with its time.
import type { Score } from "../../../../src/monitoring/patient-object/contract.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import scores from "../../platform/design/score.module.css";
import { type PlainMessageKey, translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { type DisplayScore, getDisplayScore } from "../live/patient-state.ts";
import { useServerNow } from "../live/use-live.ts";
import { findParameterAbbreviation } from "./abbreviations.ts";
import classes from "./news2.module.css";
import { useCurrentVitals } from "./use-current-vitals.ts";

const formatParameter = (part: string) => findParameterAbbreviation(part) ?? translateCode("vitals.part", part);
/** Names of NEWS2 parameters, abbreviated as on monitors. */
export const formatParameters = (parts: readonly string[]) => parts.map(formatParameter).join(", ");

export function News2({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const { currentVitals } = useCurrentVitals(patientId);
  const now = useServerNow();
  const score = currentVitals?.news2;
  if (!currentVitals || !score) return null;
  const displayScore = getDisplayScore(currentVitals, { now, connection: currentVitals.connection });
  return (
    <div className={classes.news2}>
      <p className={classes.line}>
        <abbr title={t("vitals.news2_long")} className={classes.name}>
          NEWS2
        </abbr>
        {currentVitals.connection !== "live" ? (
          <>
            <strong className={classes.score}>—</strong> {t("vitals.news2_not_live")}
          </>
        ) : (
          <ScoreDetails score={score} displayScore={displayScore} />
        )}
      </p>
      <p className={classes.credit}>
        {t("common.decision_support")} · {t("vitals.news2_credit")}
      </p>
    </div>
  );
}

export const NOT_APPLICABLE_REASONS: Readonly<Record<Extract<Score, { reason: string }>["reason"], PlainMessageKey>> = {
  age: "score.not_applicable.age",
  pregnancy: "score.not_applicable.pregnancy",
  age_unknown: "score.not_applicable.age_unknown",
};

function ScoreDetails({ score, displayScore }: { score: Score; displayScore: DisplayScore }) {
  const t = useTranslation();
  switch (score.status) {
    case "complete":
    case "overdue": {
      const shown = displayScore.kind === "score" ? displayScore : null;
      return (
        <>
          <strong
            className={`${scores.band} ${classes.score}`}
            data-band={shown?.band}
            data-not-current={shown?.notCurrent ? true : undefined}
          >
            {score.score}
          </strong>
          {shown?.notCurrent && (
            <span>
              {t(shown.notCurrent.isOverdue ? "score.overdue" : "score.not_current", {
                time: formatDateTime(shown.notCurrent.asOf),
              })}
            </span>
          )}
          <span>
            ={" "}
            {Object.entries(score.parts)
              .map(([part, points]) => `${formatParameter(part)} ${points}`)
              .join(" · ")}
          </span>
          <span className={classes.risk}>{translateCode("vitals.risk", score.risk)}</span>
        </>
      );
    }
    case "incomplete":
      return (
        <>
          <strong className={classes.score}>—</strong>
          {score.missing.length > 0 && <span>{t("score.none_missing", { what: formatParameters(score.missing) })}</span>}
          {score.stale.length > 0 && <span>{t("vitals.news2_stale", { what: formatParameters(score.stale) })}</span>}
        </>
      );
    case "not_applicable":
      return (
        <>
          <strong className={classes.score}>—</strong> {t(NOT_APPLICABLE_REASONS[score.reason])}
        </>
      );
  }
}
