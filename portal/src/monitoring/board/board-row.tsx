// Board row of one patient; renders when the patient changes, and every second for ages.
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { CODES } from "../../../../src/monitoring/vitals/codes.ts";
import { getFullName } from "../../patients/api.ts";
import { displayPriority } from "../../platform/design/display-priority.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { isUnacknowledged } from "../alerts/alarm-actions.tsx";
import { formatVital } from "../alerts/vital-format.ts";
import { describeCustomLimits, formatPatientRanges } from "../live/custom-limits.ts";
import {
  findCustomLimits,
  getDisplayScore,
  getLastUpdate,
  isStateKnown,
  type PatientState,
  sortedByUrgency,
  type ViewContext,
} from "../live/patient-state.ts";
import { useLivePatient } from "../live/use-live.ts";
import { describeDue, describeDueShortly, judgeDue } from "../rounds/due-state.ts";
import { TrendBadge } from "../trend-mark/trend-badge.tsx";
import { judgeTrendMark } from "../trend-mark/trend-state.ts";
import type { BoardEntry } from "./api.ts";
import classes from "./board.module.css";
import { DueCell, roundAge, roundValueAge, ScoreCell, TrendChange, UpdatedCell, ValueCell } from "./board-cells.tsx";
import { type DisplayValue, getDisplayPressure, getDisplayValue, toPatientState } from "./board-row-view.ts";
import cells from "./cells.module.css";
import { RowAlarm, UnknownAlarm } from "./row-alarm.tsx";
import { Sparkline } from "./sparkline.tsx";
import { getTrendChange } from "./trend-history.ts";
import { useTrendHistory } from "./use-trend-histories.ts";

const MISSING_TEXT = "⋯";
const PRESSURES = [CODES.systolic, CODES.diastolic, CODES.mean_pressure];
const text = (code: string, value: number | null) => (value === null ? MISSING_TEXT : formatVital(code, value));

type RowProps = { entry: BoardEntry; moment: ViewContext; code: string };

export const BoardRow = memo(function BoardRow({ entry, moment: boardContext, code }: RowProps) {
  const t = useTranslation();
  const live = useLivePatient(entry.patient_id);
  const { patient, moment } = toPatientState(live, entry, boardContext);
  const updated = getLastUpdate(patient, moment);
  const due = describeDueCell(live ? live.observations : entry.observations, moment);
  const [alert, ...others] = sortedByUrgency(patient.alerts.values());
  const pressure = getDisplayPressure(patient, moment);
  const customPressureLimits = findCustomLimits(patient, PRESSURES);
  return (
    <tr
      className={classes.row}
      data-state={updated.freshness}
      data-tint={alert?.state === "active" ? displayPriority(alert) : undefined}
      data-quiet={alert === undefined}
    >
      <th scope="row" className={classes.patient}>
        <Link to="/patients/$patientId" params={{ patientId: entry.patient_id }} title={getFullName(entry)} data-row="">
          {getFullName(entry)}
        </Link>
        <span className={classes.patientNumber}>
          {t("common.number", { n: entry.patient_number })}
          <TrendBadge state={judgeTrendMark(live ? live.trendMark : entry.trend_mark, moment)} />
        </span>
      </th>
      <ScoreCell score={getDisplayScore(patient, moment)} />
      <VitalCell patient={patient} code={CODES.heart_rate} moment={moment} />
      <VitalCell patient={patient} code={CODES.respiratory_rate} moment={moment} />
      <VitalCell patient={patient} code={CODES.spo2} moment={moment} />
      <ValueCell
        text={
          pressure.freshness === "missing"
            ? MISSING_TEXT
            : `${text(CODES.systolic, pressure.systolic)}/${text(CODES.diastolic, pressure.diastolic)}`
        }
        freshness={pressure.freshness}
        ageS={roundValueAge(pressure.ageS, pressure.freshness)}
        alarm={pressure.alarm}
        isInvalid={pressure.isInvalid}
        ranges={formatPatientRanges(customPressureLimits)}
        customLimits={describeCustomLimits(customPressureLimits)}
      />
      <VitalCell patient={patient} code={CODES.temperature} moment={moment} />
      <TrendCell patientId={entry.patient_id} code={code} />
      <UpdatedCell freshness={updated.freshness} ageS={roundAge(updated.ageS)} isKnown={moment.connection === "live"} due={due} />
      <DueCell {...due} />
      <td className={classes.alarm}>
        {alert ? (
          <RowAlarm alert={alert} others={others.length} newOthers={others.filter(isUnacknowledged).length} />
        ) : (
          !isStateKnown(live, moment.connection) && <UnknownAlarm />
        )}
      </td>
    </tr>
  );
});

function VitalCell({ patient, code, moment }: { patient: PatientState; code: string; moment: ViewContext }) {
  const { value, freshness, ageS, alarm, isInvalid }: DisplayValue = getDisplayValue(patient, code, moment);
  const customLimits = findCustomLimits(patient, [code]);
  return (
    <ValueCell
      text={text(code, value)}
      freshness={freshness}
      ageS={roundValueAge(ageS, freshness)}
      alarm={alarm}
      isInvalid={isInvalid}
      ranges={formatPatientRanges(customLimits)}
      customLimits={describeCustomLimits(customLimits)}
    />
  );
}

function describeDueCell(observations: BoardEntry["observations"], moment: ViewContext) {
  const state = judgeDue(observations, moment);
  const { now } = moment;
  return { kind: state.kind, text: describeDueShortly(state, now), full: describeDue(state, now) };
}

const TrendCell = memo(function TrendCell({ patientId, code }: { patientId: string; code: string }) {
  useTranslation();
  const history = useTrendHistory(patientId, code);
  const change = history ? getTrendChange(history) : null;
  return (
    <td className={classes.trend}>
      <div className={cells.trendLine}>
        {history && <Sparkline history={history} code={code} />}
        {change !== null && <TrendChange change={change} digits={code === CODES.temperature ? 1 : 0} />}
      </div>
    </td>
  );
});
