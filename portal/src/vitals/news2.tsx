// The early-warning score with what it is made of, or what it lacks; never a number made of old or missing values.
import type { Score } from "../../../src/monitoring/patient-object/contract.ts";
import scores from "../design/score.module.css";
import { type ShownScore, shownScore } from "../live/known.ts";
import { useServerNow } from "../live/use-live.ts";
import { type PlainKey, sayOf, useSay } from "../messages/index.ts";
import classes from "./news2.module.css";
import { useNumbers } from "./numbers.ts";

/** As on every monitor; the others have words. */
const SIGNS: Readonly<Record<string, string>> = { respiratory_rate: "RR", spo2: "SpO₂", systolic: "BP" };
const partName = (part: string) => SIGNS[part] ?? sayOf("vitals.part", part);
const listed = (parts: readonly string[]) => parts.map(partName).join(", ");

export function News2({ patientId }: { patientId: string }) {
  const say = useSay();
  const { numbers } = useNumbers(patientId);
  const now = useServerNow();
  const score = numbers?.news2;
  if (!numbers || !score) return null;
  const shown = shownScore(numbers, { now, link: numbers.link });
  const old = score.status === "complete" && shown.kind === "needs" ? shown.what : [];
  return (
    <div className={classes.news2}>
      <p className={classes.line}>
        <abbr title={say("vitals.news2_long")} className={classes.name}>
          NEWS2
        </abbr>
        {numbers.link !== "live" ? (
          <>
            <strong className={classes.score}>—</strong> {say("vitals.news2_not_live")}
          </>
        ) : old.length > 0 ? (
          <>
            <strong className={classes.score}>—</strong> {say("vitals.news2_stale", { what: listed(old) })}
          </>
        ) : (
          <Known score={score} shown={shown} />
        )}
      </p>
      <p className={classes.credit}>
        {say("common.decision_support")} · {say("vitals.news2_credit")}
      </p>
    </div>
  );
}

const REASONS: Readonly<Record<Extract<Score, { reason: string }>["reason"], PlainKey>> = {
  age: "score.not_applicable.age",
  pregnancy: "score.not_applicable.pregnancy",
  age_unknown: "score.not_applicable.age_unknown",
};

function Known({ score, shown }: { score: Score; shown: ShownScore }) {
  const say = useSay();
  switch (score.status) {
    case "complete":
      return (
        <>
          <strong className={`${scores.band} ${classes.score}`} data-band={shown.kind === "score" ? shown.band : undefined}>
            {score.score}
          </strong>
          <span>
            ={" "}
            {Object.entries(score.parts)
              .map(([part, points]) => `${partName(part)} ${points}`)
              .join(" · ")}
          </span>
          <span className={classes.risk}>{sayOf("vitals.risk", score.risk)}</span>
        </>
      );
    case "incomplete":
      return (
        <>
          <strong className={classes.score}>—</strong>
          {score.missing.length > 0 && <span>{say("score.none_missing", { what: listed(score.missing) })}</span>}
          {score.stale.length > 0 && <span>{say("vitals.news2_stale", { what: listed(score.stale) })}</span>}
        </>
      );
    case "not_applicable":
      return (
        <>
          <strong className={classes.score}>—</strong> {say(REASONS[score.reason])}
        </>
      );
  }
}
