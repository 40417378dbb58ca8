// The cells of a row. Each is given what it shows as plain values, so that only what changed is drawn again.
import { memo } from "react";
import scores from "../design/score.module.css";
import type { Priority } from "../design/shown-as.ts";
import { age, number } from "../design/time.ts";
import type { Freshness } from "../live/freshness.ts";
import type { ShownScore } from "../live/known.ts";
import { MOVED } from "../live/moved-limits.ts";
import { say, sayOf, useSay } from "../messages/index.ts";
import classes from "./cells.module.css";

/** From this age on a value says how old it is. */
const AGE_FROM_S = 60;

type ValueProps = {
  text: string;
  freshness: Freshness;
  ageS: number | null;
  alarm: Priority | null;
  isInvalid: boolean;
  /** Limits that are this patient's own, and the same in words, or those of the ward in words alone. */
  ranges: string | null;
  moved: string | null;
};

export const ValueCell = memo(function ValueCell({ text, freshness, ageS, alarm, isInvalid, ranges, moved }: ValueProps) {
  useSay();
  const old = ageS !== null && (freshness === "stale" || ageS >= AGE_FROM_S) ? age(ageS) : null;
  return (
    <td className={classes.value} data-state={freshness} data-alarm={alarm ?? undefined} title={moved ?? undefined}>
      <span className={classes.number}>{isInvalid ? <del>{text}</del> : text}</span>
      <Note freshness={freshness} isInvalid={isInvalid} old={old} ranges={ranges} />
      {moved && <span className="visually-hidden">{moved}</span>}
    </td>
  );
});

type NoteProps = { freshness: Freshness; isInvalid: boolean; old: string | null; ranges: string | null };

/** Below a value what is to be known of it, and in words for who does not see how it is drawn. */
function Note({ freshness, isInvalid, old, ranges }: NoteProps) {
  const shown = freshness === "missing" || isInvalid ? null : old;
  return (
    <>
      {(isInvalid || shown !== null || ranges !== null) && (
        <small className={classes.note}>
          {isInvalid && say("ward.invalid")}
          {shown !== null && <span aria-hidden="true">{shown}</span>}
          {ranges !== null && (
            <span className={classes.mark} aria-hidden="true">
              {MOVED} <span className={classes.ranges}>{ranges}</span>
            </span>
          )}
        </small>
      )}
      {freshness === "missing" && <span className="visually-hidden">{say("ward.no_value")}</span>}
      {shown !== null && (
        <span className="visually-hidden">
          {freshness === "stale" ? say("ward.no_data_for", { age: shown }) : say("common.ago", { age: shown })}
        </span>
      )}
    </>
  );
}

/** Only ages that are shown are drawn again: whole seconds, then whole minutes. */
export const shownAge = (ageS: number | null): number | null =>
  ageS === null ? null : ageS < AGE_FROM_S ? Math.floor(ageS) : Math.floor(ageS / 60) * 60;

/** A value that says no age below a minute need not be drawn again every second. */
export const agedValue = (ageS: number | null, freshness: Freshness): number | null =>
  ageS !== null && ageS < AGE_FROM_S && freshness !== "stale" ? 0 : shownAge(ageS);

const SIGNS: Readonly<Record<string, string>> = {
  respiratory_rate: "RR",
  spo2: "SpO₂",
  oxygen: "O₂",
  systolic: "BP",
  pulse: "HR",
};
const signOf = (parameter: string) => SIGNS[parameter] ?? sayOf("ward.short", parameter);

/** The score in a pale square, or what it lacks: no number is better than one that is not of now. */
export const ScoreCell = memo(function ScoreCell({ score }: { score: ShownScore }) {
  useSay();
  switch (score.kind) {
    case "score":
      return (
        <td className={classes.score}>
          <span className={`${scores.band} ${classes.square}`} data-band={score.band}>
            {score.score}
          </span>
        </td>
      );
    case "needs": {
      const [first = "", ...others] = score.what;
      const all = score.what.map((name) => sayOf("ward.parameter", name)).join(", ");
      return (
        <td className={classes.score} title={say("score.none_missing", { what: all })}>
          <small className={classes.lack} aria-hidden="true">
            {others.length > 0
              ? say("ward.needs_more", { what: signOf(first), n: others.length })
              : say("ward.needs", { what: signOf(first) })}
          </small>
          <span className="visually-hidden">{say("score.none_missing", { what: all })}</span>
        </td>
      );
    }
    case "not_applicable":
      return (
        <td className={classes.score} title={sayOf("score.not_applicable", score.reason)}>
          <small className={classes.lack} aria-hidden="true">
            {sayOf("ward.short_na", score.reason)}
          </small>
          <span className="visually-hidden">{sayOf("score.not_applicable", score.reason)}</span>
        </td>
      );
    case "unknown":
      return (
        <td className={classes.score}>
          <span aria-hidden="true">—</span>
          <span className="visually-hidden">{say("ward.no_score")}</span>
        </td>
      );
  }
}, sameScore);

function sameScore({ score: a }: { score: ShownScore }, { score: b }: { score: ShownScore }): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

export const UpdatedCell = memo(function UpdatedCell({ freshness, ageS }: { freshness: Freshness; ageS: number | null }) {
  useSay();
  if (ageS === null) {
    return (
      <td className={classes.updated} data-state="missing">
        <span aria-hidden="true">⋯</span>
        <span className="visually-hidden">{say("ward.never")}</span>
      </td>
    );
  }
  return (
    <td className={classes.updated} data-state={freshness}>
      {freshness === "stale" ? (
        <>
          <span aria-hidden="true">{age(ageS)}</span>
          <span className="visually-hidden">{say("ward.no_data_for", { age: age(ageS) })}</span>
        </>
      ) : (
        age(ageS)
      )}
    </td>
  );
});

/** "↓ 6", and the same in words. */
export function Change({ change, digits }: { change: number; digits: number }) {
  const size = number(Math.abs(change), digits);
  const isSame = Number(Math.abs(change).toFixed(digits)) === 0;
  const words = isSame ? say("ward.same") : change > 0 ? say("ward.up", { n: size }) : say("ward.down", { n: size });
  return (
    <>
      <span aria-hidden="true">{isSame ? "→" : `${change > 0 ? "↑" : "↓"} ${size}`}</span>
      <span className="visually-hidden">{words}</span>
    </>
  );
}
