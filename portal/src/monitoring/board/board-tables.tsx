// Board tables: one list, or two columns of twenty. Arrow keys move between rows, Enter opens the patient.
import { type KeyboardEvent, useRef } from "react";
import { CODES } from "../../../../src/monitoring/vitals/codes.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { vitalAbbreviation, vitalName } from "../alerts/vital-format.ts";
import { CUSTOM_LIMITS_MARK } from "../live/custom-limits.ts";
import type { ViewContext } from "../live/patient-state.ts";
import { getLivePatient } from "../live/patient-store.ts";
import type { BoardEntry } from "./api.ts";
import classes from "./board.module.css";
import { BoardRow } from "./board-row.tsx";

const ROWS_PER_COLUMN = 20;

type BoardProps = { rows: readonly BoardEntry[]; moment: ViewContext; code: string; onHold: (hold: boolean) => void };

/** @param onHold called when a row gains or loses hover or focus */
export function BoardTables({ rows, moment, code, onHold }: BoardProps) {
  const t = useTranslation();
  const holdSources = useRef({ pointer: false, focus: false });
  const hold = (by: "pointer" | "focus", isHolding: boolean) => {
    holdSources.current[by] = isHolding;
    onHold(holdSources.current.pointer || holdSources.current.focus);
  };
  const vitalsWithWardLimits = new Set(BOARD_VITALS.filter((one) => rows.some((entry) => hasWardLimit(entry, one))));
  const columns = rows.length > ROWS_PER_COLUMN ? [rows.slice(0, ROWS_PER_COLUMN), rows.slice(ROWS_PER_COLUMN)] : [rows];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: handles bubbling keys and pointer moves of the links inside.
    <div
      className={classes.tables}
      data-columns={columns.length}
      onPointerEnter={() => hold("pointer", true)}
      onPointerLeave={() => hold("pointer", false)}
      onFocus={() => hold("focus", true)}
      onBlur={(event) => hold("focus", event.currentTarget.contains(event.relatedTarget))}
      onKeyDown={handleArrowKey}
    >
      {columns.map((columnRows, column) => (
        <div key={column === 0 ? "first" : "second"} className={classes.column}>
          <table className={classes.table} aria-label={t(column === 0 ? "ward.patients" : "ward.patients_on")}>
            <BoardHead code={code} vitalsWithWardLimits={vitalsWithWardLimits} />
            <tbody>
              {columnRows.map((entry) => (
                <BoardRow key={entry.patient_id} entry={entry} moment={moment} code={code} />
              ))}
            </tbody>
          </table>
        </div>
      ))}
    </div>
  );
}

const PRESSURES = [CODES.systolic, CODES.diastolic, CODES.mean_pressure];
const BOARD_VITALS = [CODES.heart_rate, CODES.respiratory_rate, CODES.spo2, ...PRESSURES, CODES.temperature];

/** Whether the ward has own limits for this vital sign. */
function hasWardLimit({ patient_id, limits }: BoardEntry, code: string): boolean {
  const live = getLivePatient(patient_id)?.limits.get(code);
  return (live ?? limits.find((one) => one.code === code))?.set_by === "ward";
}

/** @param moved vital signs with limits set by the ward */
function BoardHead({ code, vitalsWithWardLimits }: { code: string; vitalsWithWardLimits: ReadonlySet<string> }) {
  const t = useTranslation();
  const renderColumn = (name: string, sign: string, codes: readonly string[] = []) => {
    const hasWardLimits = codes.some((one) => vitalsWithWardLimits.has(one));
    return (
      <th scope="col" key={sign} title={hasWardLimits ? t("ward.limits_of_ward") : undefined}>
        <span aria-hidden="true">{hasWardLimits ? `${sign} ${CUSTOM_LIMITS_MARK}` : sign}</span>
        <span className="visually-hidden">
          {name} {hasWardLimits && t("ward.limits_of_ward")}
        </span>
      </th>
    );
  };
  return (
    <thead>
      <tr>
        <th scope="col">{t("ward.patient")}</th>
        {renderColumn(t("ward.news2_full"), t("ward.news2"))}
        {[CODES.heart_rate, CODES.respiratory_rate, CODES.spo2].map((one) =>
          renderColumn(vitalName(one), vitalAbbreviation(one), [one]),
        )}
        {renderColumn(t("vital.blood_pressure"), "BP", PRESSURES)}
        {renderColumn(t("vital.temperature"), t("ward.temperature"), [CODES.temperature])}
        <th scope="col" className={classes.trend}>
          <span aria-hidden="true">
            {code === CODES.temperature ? t("ward.temperature") : vitalAbbreviation(code)} {t("ward.trend")}
          </span>
          <span className="visually-hidden">{t("ward.trend_full", { vital: vitalName(code) })}</span>
        </th>
        <th scope="col">{t("ward.updated")}</th>
        <th scope="col" className={classes.due}>
          {t("rounds.column")}
        </th>
        <th scope="col">{t("ward.alarm")}</th>
      </tr>
    </thead>
  );
}

const ROW_STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
  ArrowRight: ROWS_PER_COLUMN,
  ArrowLeft: -ROWS_PER_COLUMN,
};

function handleArrowKey(event: KeyboardEvent<HTMLElement>): void {
  const step = ROW_STEPS[event.key];
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const row = event.target instanceof Element ? event.target.closest("tr") : null;
  const currentIndex = links.findIndex((link) => row?.contains(link));
  if (currentIndex < 0) return;
  event.preventDefault();
  const isMissingColumn = Math.abs(step) === ROWS_PER_COLUMN && links[currentIndex + step] === undefined;
  if (!isMissingColumn) links[Math.min(links.length - 1, Math.max(0, currentIndex + step))]?.focus();
}
