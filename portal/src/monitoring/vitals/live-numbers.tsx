// Current vital signs of a patient: value, unit and age. Outdated values always look different.
import type { AlertView } from "../../../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../../../../src/monitoring/vitals/codes.ts";
import { formatAge, formatNumber } from "../../platform/design/format.ts";
import { shownAs } from "../../platform/design/priority.tsx";
import { LoadError, Loading } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { usePatientOpenAlarms } from "../alerts/use-alarms.ts";
import { CUSTOM_LIMITS_MARK, describeCustomLimits } from "../live/custom-limits.ts";
import { findInvalidSample } from "../live/latest-samples.ts";
import { findCustomLimits, PRIORITY_ORDER } from "../live/patient-state.ts";
import { useServerNow } from "../live/use-live.ts";
import { findAbbreviation } from "./abbreviations.ts";
import {
  CHARTS,
  type Chart,
  formatUcumUnit,
  getConsciousnessLetter,
  getDecimals,
  getVitalUnit,
  MAIN_CHARTS,
} from "./chart-catalogue.ts";
import classes from "./live-numbers.module.css";
import {
  type CurrentVitals,
  getVitalReading,
  getWorstFreshness,
  useCurrentVitals,
  type VitalReading,
} from "./use-current-vitals.ts";

const CODE_BY_VITAL: Readonly<Record<string, string>> = CODES;

type LiveVitalsProps = {
  patientId: string;
  /** Patient mode: full names, no alarm colours, nothing that is not measured. */
  isPlain?: boolean;
};

export function LiveVitals({ patientId, isPlain = false }: LiveVitalsProps) {
  const { currentVitals, error } = useCurrentVitals(patientId);
  const now = useServerNow();
  const { alerts } = usePatientOpenAlarms(patientId, !isPlain);
  if (!currentVitals) return error ? <LoadError error={error} /> : <Loading />;
  const isMeasured = ({ vitals }: Chart) => vitals.some((vital) => hasSample(currentVitals, CODE_BY_VITAL[vital] ?? ""));
  const shown = CHARTS.filter((chart) => isMeasured(chart) || (!isPlain && MAIN_CHARTS.includes(chart.id)));
  return (
    <ul className={classes.numbers}>
      {shown.map((chart) => {
        const codes = chart.vitals.map((vital) => CODE_BY_VITAL[vital] ?? "");
        const readings = codes.map((code) => getVitalReading(currentVitals, code, now));
        const alarm = isPlain ? undefined : getTileAlarm(alerts, chart);
        const customLimits = isPlain ? null : describeCustomLimits(findCustomLimits(currentVitals, codes));
        return (
          <Tile
            key={chart.id}
            chart={chart}
            readings={readings}
            alarm={alarm}
            customLimits={customLimits}
            isPlain={isPlain}
            isLive={currentVitals.connection === "live"}
            now={now}
          />
        );
      })}
    </ul>
  );
}

const hasSample = ({ latest }: CurrentVitals, code: string) => latest.has(code) || findInvalidSample(latest, code) !== undefined;

/** A value has the colour of its own alarm while that is active. */
function getTileAlarm(alerts: readonly AlertView[] = [], { vitals }: Chart) {
  const codes = vitals.map((vital) => CODE_BY_VITAL[vital]);
  const ownAlerts = alerts.filter(
    ({ code, state }) => code !== null && codes.includes(code) && (state === "active" || state === "acknowledged"),
  );
  return PRIORITY_ORDER.find((priority) => ownAlerts.some((alert) => shownAs(alert) === priority));
}

type TileProps = {
  chart: Chart;
  readings: readonly VitalReading[];
  alarm: ReturnType<typeof getTileAlarm>;
  /** Text of limits that differ from the defaults. */
  customLimits: string | null;
  isPlain: boolean;
  /** False: that there is no value means that it is not known. */
  isLive: boolean;
  now: number;
};

function Tile({ chart, readings, alarm, customLimits, isPlain, isLive, now }: TileProps) {
  const t = useTranslation();
  const state = getWorstFreshness(readings);
  const [first] = readings;
  const newest = first?.invalid ?? first?.sample;
  const seconds = newest ? (now - Date.parse(newest.received_at)) / 1000 : null;
  const unit = formatUcumUnit(newest?.unit ?? getVitalUnit(chart.vitals[0] ?? ""));
  const name = translateCode("vital", chart.id);
  const abbreviation = isPlain ? undefined : findAbbreviation(chart.id);
  return (
    <li className={classes.tile} data-state={state} data-alarm={state === "stale" || state === "missing" ? undefined : alarm}>
      <span className={classes.name}>
        {abbreviation ? (
          <>
            <span aria-hidden="true">{abbreviation}</span>
            <span className="visually-hidden">{name}</span>
          </>
        ) : (
          name
        )}
      </span>
      <span className={classes.value}>
        <strong>
          {chart.vitals.map((vital, i) => (
            <Value key={vital} vital={vital} reading={readings[i]} isFirst={i === 0} />
          ))}
        </strong>
        {newest && <span className={classes.unit}>{unit}</span>}
      </span>
      <span className={classes.age}>
        {seconds === null
          ? t(isLive ? "vitals.never_measured" : "common.unknown")
          : state === "stale"
            ? t("vitals.no_data_for", { age: formatAge(seconds) })
            : state === "invalid"
              ? `${t("vitals.invalid")} · ${formatAge(seconds)}`
              : t("common.ago", { age: formatAge(seconds) })}
      </span>
      {customLimits && (
        <span className={classes.moved}>
          <span aria-hidden="true">{CUSTOM_LIMITS_MARK} </span>
          {customLimits}
        </span>
      )}
    </li>
  );
}

function Value({ vital, reading, isFirst }: { vital: string; reading: VitalReading | undefined; isFirst: boolean }) {
  const text = (value: number) => getConsciousnessLetter(vital, value) ?? formatNumber(value, getDecimals(vital));
  const slash = isFirst ? "" : "/";
  if (reading?.invalid) {
    return (
      <>
        {slash}
        <del>{text(reading.invalid.value)}</del>
      </>
    );
  }
  return <>{slash + (reading?.sample ? text(reading.sample.value) : "⋯")}</>;
}
