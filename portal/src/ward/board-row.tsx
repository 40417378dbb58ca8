// One patient on the board: drawn again when this patient changes, and every second for the ages.
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { CODES } from "../alarms/vital-codes.ts";
import { valueText } from "../alarms/vital-words.ts";
import { shownAs } from "../design/shown-as.ts";
import { type Known, type Moment, movedLimits, shownScore, shownUpdate, sortedByUrgency } from "../live/known.ts";
import { movedText, ownRanges } from "../live/moved-limits.ts";
import { useLivePatient } from "../live/use-live.ts";
import { useSay } from "../messages/index.ts";
import type { Entry } from "./api.ts";
import classes from "./board.module.css";
import cells from "./cells.module.css";
import { agedValue, Change, ScoreCell, shownAge, UpdatedCell, ValueCell } from "./cells.tsx";
import { changeOf } from "./history.ts";
import { RowAlarm } from "./row-alarm.tsx";
import { knownOf, type Shown, shownPressure, shownValue } from "./row-view.ts";
import { Sparkline } from "./sparkline.tsx";
import { useHistory } from "./use-histories.ts";

const MISSING = "⋯";
const PRESSURES = [CODES.systolic, CODES.diastolic, CODES.mean_pressure];
const nameOf = ({ first_name, last_name }: Entry) => (last_name ? `${first_name} ${last_name}` : first_name);
const text = (code: string, value: number | null) => (value === null ? MISSING : valueText(code, value));

type RowProps = { entry: Entry; moment: Moment; code: string };

export const BoardRow = memo(function BoardRow({ entry, moment: shared, code }: RowProps) {
  const say = useSay();
  const live = useLivePatient(entry.patient_id);
  const { known, moment } = knownOf(live, entry, shared);
  const updated = shownUpdate(known, moment);
  const [alert, ...others] = sortedByUrgency(known.alerts.values());
  const pressure = shownPressure(known, moment);
  const movedPressures = movedLimits(known, PRESSURES);
  return (
    <tr
      className={classes.row}
      data-state={updated.freshness}
      data-tint={alert?.state === "active" ? shownAs(alert) : undefined}
      data-quiet={alert === undefined}
    >
      <th scope="row" className={classes.patient}>
        <Link to="/patients/$patientId" params={{ patientId: entry.patient_id }} title={nameOf(entry)} data-row="">
          {nameOf(entry)}
        </Link>
        <span className={classes.patientNumber}>{say("common.number", { n: entry.patient_number })}</span>
      </th>
      <ScoreCell score={shownScore(known, moment)} />
      <Value known={known} code={CODES.heart_rate} moment={moment} />
      <Value known={known} code={CODES.respiratory_rate} moment={moment} />
      <Value known={known} code={CODES.spo2} moment={moment} />
      <ValueCell
        text={
          pressure.freshness === "missing"
            ? MISSING
            : `${text(CODES.systolic, pressure.systolic)}/${text(CODES.diastolic, pressure.diastolic)}`
        }
        freshness={pressure.freshness}
        ageS={agedValue(pressure.ageS, pressure.freshness)}
        alarm={pressure.alarm}
        isInvalid={pressure.isInvalid}
        ranges={ownRanges(movedPressures)}
        moved={movedText(movedPressures)}
      />
      <Value known={known} code={CODES.temperature} moment={moment} />
      <Trend patientId={entry.patient_id} code={code} />
      <UpdatedCell freshness={updated.freshness} ageS={shownAge(updated.ageS)} />
      <td className={classes.alarm}>{alert && <RowAlarm alert={alert} others={others.length} />}</td>
    </tr>
  );
});

function Value({ known, code, moment }: { known: Known; code: string; moment: Moment }) {
  const { value, freshness, ageS, alarm, isInvalid }: Shown = shownValue(known, code, moment);
  const moved = movedLimits(known, [code]);
  return (
    <ValueCell
      text={text(code, value)}
      freshness={freshness}
      ageS={agedValue(ageS, freshness)}
      alarm={alarm}
      isInvalid={isInvalid}
      ranges={ownRanges(moved)}
      moved={movedText(moved)}
    />
  );
}

const Trend = memo(function Trend({ patientId, code }: { patientId: string; code: string }) {
  useSay();
  const history = useHistory(patientId, code);
  const change = history ? changeOf(history) : null;
  return (
    <td className={classes.trend}>
      <div className={cells.trendLine}>
        {history && <Sparkline history={history} code={code} />}
        {change !== null && <Change change={change} digits={code === CODES.temperature ? 1 : 0} />}
      </div>
    </td>
  );
});
