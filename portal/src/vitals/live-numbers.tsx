// What a patient's vitals are now: value, unit, age. A number that is not of now never looks as if it were.
import type { AlertView } from "../../../src/monitoring/patient-object/contract.ts";
import { CODES } from "../alarms/vital-codes.ts";
import { shownAs } from "../design/priority.tsx";
import { Failed, Loading } from "../design/states.tsx";
import { age, number } from "../design/time.ts";
import { movedLimits } from "../live/known.ts";
import { MOVED, movedText } from "../live/moved-limits.ts";
import { useLivePatient, useServerNow } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { CHARTS, type Chart, decimalsOf, letterOf, MAIN, unitOfVital, unitText } from "./charted.ts";
import classes from "./live-numbers.module.css";
import { type Numbers, type Reading, readingOf, useNumbers, worstOf } from "./numbers.ts";

/** As on every monitor, in every language. */
const SIGNS: Readonly<Record<string, string>> = {
  heart_rate: "HR",
  spo2: "SpO₂",
  respiratory_rate: "RR",
  blood_pressure: "BP",
  mean_pressure: "MAP",
  etco2: "EtCO₂",
};
const CODE_OF: Readonly<Record<string, string>> = CODES;

type LiveNumbersProps = {
  patientId: string;
  /** For the patient: full names, no colours of alarms, nothing that is not measured. */
  plain?: boolean;
};

export function LiveNumbers({ patientId, plain = false }: LiveNumbersProps) {
  const { numbers, error } = useNumbers(patientId);
  const now = useServerNow();
  const alerts = useLivePatient(patientId)?.alerts;
  if (!numbers) return error ? <Failed error={error} /> : <Loading />;
  const measured = ({ vitals }: Chart) => vitals.some((vital) => hasAny(numbers, CODE_OF[vital] ?? ""));
  const shown = CHARTS.filter((chart) => measured(chart) || (!plain && MAIN.includes(chart.id)));
  return (
    <ul className={classes.numbers}>
      {shown.map((chart) => {
        const codes = chart.vitals.map((vital) => CODE_OF[vital] ?? "");
        const readings = codes.map((code) => readingOf(numbers, code, now));
        const alarm = plain ? undefined : alarmOf(alerts, chart);
        const moved = plain ? null : movedText(movedLimits(numbers, codes));
        return <Tile key={chart.id} chart={chart} readings={readings} alarm={alarm} moved={moved} plain={plain} now={now} />;
      })}
    </ul>
  );
}

const hasAny = ({ latest }: Numbers, code: string) => latest.has(code) || latest.has(`${code}!`);

const WORST = ["high", "medium", "technical", "low"] as const;
/** A value takes the colour of its own alarm, while that is on. */
function alarmOf(alerts: ReadonlyMap<string, AlertView> | undefined, { vitals }: Chart) {
  const codes = vitals.map((vital) => CODE_OF[vital]);
  const own = [...(alerts?.values() ?? [])].filter(
    ({ code, state }) => code !== null && codes.includes(code) && (state === "active" || state === "acknowledged"),
  );
  return WORST.find((priority) => own.some((alert) => shownAs(alert) === priority));
}

type TileProps = {
  chart: Chart;
  readings: readonly Reading[];
  alarm: ReturnType<typeof alarmOf>;
  /** Limits that are not the defaults, in words. */
  moved: string | null;
  plain: boolean;
  now: number;
};

function Tile({ chart, readings, alarm, moved, plain, now }: TileProps) {
  const say = useSay();
  const state = worstOf(readings);
  const [first] = readings;
  const newest = first?.invalid ?? first?.sample;
  const seconds = newest ? (now - Date.parse(newest.received_at)) / 1000 : null;
  const unit = unitText(unitOfVital(chart.vitals[0] ?? ""));
  const name = sayOf("vital", chart.id);
  const sign = plain ? undefined : SIGNS[chart.id];
  return (
    <li className={classes.tile} data-state={state} data-alarm={state === "stale" || state === "missing" ? undefined : alarm}>
      <span className={classes.name}>
        {sign ? (
          <>
            <span aria-hidden="true">{sign}</span>
            <span className="visually-hidden">{name}</span>
          </>
        ) : (
          name
        )}
      </span>
      <span className={classes.value}>
        <strong>
          {chart.vitals.map((vital, i) => (
            <Value key={vital} vital={vital} reading={readings[i]} first={i === 0} />
          ))}
        </strong>
        {newest && <span className={classes.unit}>{unit}</span>}
      </span>
      <span className={classes.age}>
        {seconds === null
          ? say("vitals.never_measured")
          : state === "stale"
            ? say("vitals.no_data_for", { age: age(seconds) })
            : state === "invalid"
              ? `${say("vitals.invalid")} · ${age(seconds)}`
              : say("common.ago", { age: age(seconds) })}
      </span>
      {moved && (
        <span className={classes.moved}>
          <span aria-hidden="true">{MOVED} </span>
          {moved}
        </span>
      )}
    </li>
  );
}

function Value({ vital, reading, first }: { vital: string; reading: Reading | undefined; first: boolean }) {
  const text = (value: number) => letterOf(vital, value) ?? number(value, decimalsOf(vital));
  const slash = first ? "" : "/";
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
