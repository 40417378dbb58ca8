// The score as it forms: a number only once every parameter is entered.
import scores from "../../platform/design/score.module.css";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { news2Band } from "../live/patient-state.ts";
import news2 from "../vitals/news2.module.css";
import { formatParameters, NOT_APPLICABLE_REASONS } from "../vitals/news2.tsx";
import classes from "./observation-set.module.css";
import type { FormingScore, Scoring } from "./set-draft.ts";

type ScorePanelProps = {
  notApplicable: Scoring["notApplicable"];
  forming: FormingScore;
  missing: readonly string[];
};

export function ScorePanel({ notApplicable, forming: { complete, atLeast }, missing }: ScorePanelProps) {
  const t = useTranslation();
  if (notApplicable) {
    return (
      <p className={classes.score}>
        {t(NOT_APPLICABLE_REASONS[notApplicable])}. {t("set.unscored")}
      </p>
    );
  }
  return (
    <div className={classes.score}>
      <p className={news2.line}>
        <abbr title={t("vitals.news2_long")} className={news2.name}>
          NEWS2
        </abbr>
        <strong className={`${scores.band} ${news2.score}`} data-band={complete ? news2Band(complete) : undefined}>
          {complete ? complete.score : "—"}
        </strong>
        {complete ? (
          <span className={news2.risk}>{translateCode("vitals.risk", complete.risk)}</span>
        ) : (
          <span>{t("set.at_least", { n: atLeast })}</span>
        )}
      </p>
      {missing.length > 0 && <p className={classes.missing}>{t("set.missing", { what: formatParameters(missing) })}</p>}
      <p className={news2.credit}>{t("vitals.news2_credit")}</p>
    </div>
  );
}
