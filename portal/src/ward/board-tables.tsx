// The board itself: one list, or two of twenty beside each other. Arrow keys go from row to row, Enter opens the patient.
import { type KeyboardEvent, useRef } from "react";
import { CODES } from "../alarms/vital-codes.ts";
import { vitalName, vitalSign } from "../alarms/vital-words.ts";
import type { Moment } from "../live/known.ts";
import { MOVED } from "../live/moved-limits.ts";
import { patientOf } from "../live/store.ts";
import { useSay } from "../messages/index.ts";
import type { Entry } from "./api.ts";
import classes from "./board.module.css";
import { BoardRow } from "./board-row.tsx";

const IN_ONE_COLUMN = 20;

type BoardProps = { rows: readonly Entry[]; moment: Moment; code: string; onHold: (hold: boolean) => void };

/** @param onHold somebody points at a row or has the focus in one, or does so no more */
export function BoardTables({ rows, moment, code, onHold }: BoardProps) {
  const say = useSay();
  const holders = useRef({ pointer: false, focus: false });
  const hold = (by: "pointer" | "focus", holding: boolean) => {
    holders.current[by] = holding;
    onHold(holders.current.pointer || holders.current.focus);
  };
  const moved = new Set(MEASURED.filter((one) => rows.some((entry) => isOfWard(entry, one))));
  const columns = rows.length > IN_ONE_COLUMN ? [rows.slice(0, IN_ONE_COLUMN), rows.slice(IN_ONE_COLUMN)] : [rows];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys of the links in it, and where the pointer is.
    <div
      className={classes.tables}
      data-columns={columns.length}
      onPointerEnter={() => hold("pointer", true)}
      onPointerLeave={() => hold("pointer", false)}
      onFocus={() => hold("focus", true)}
      onBlur={(event) => hold("focus", event.currentTarget.contains(event.relatedTarget))}
      onKeyDown={onArrow}
    >
      {columns.map((some, column) => (
        <div key={column === 0 ? "first" : "second"} className={classes.column}>
          <table className={classes.table} aria-label={say(column === 0 ? "ward.patients" : "ward.patients_on")}>
            <Head code={code} moved={moved} />
            <tbody>
              {some.map((entry) => (
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
const MEASURED = [CODES.heart_rate, CODES.respiratory_rate, CODES.spo2, ...PRESSURES, CODES.temperature];

/** Whether the ward itself set limits of this vital. */
function isOfWard({ patient_id, limits }: Entry, code: string): boolean {
  const live = patientOf(patient_id)?.limits.get(code);
  return (live ?? limits.find((one) => one.code === code))?.set_by === "ward";
}

/** @param moved vitals whose limits the ward set */
function Head({ code, moved }: { code: string; moved: ReadonlySet<string> }) {
  const say = useSay();
  const column = (name: string, sign: string, codes: readonly string[] = []) => {
    const isMoved = codes.some((one) => moved.has(one));
    return (
      <th scope="col" key={sign} title={isMoved ? say("ward.limits_of_ward") : undefined}>
        <span aria-hidden="true">{isMoved ? `${sign} ${MOVED}` : sign}</span>
        <span className="visually-hidden">
          {name} {isMoved && say("ward.limits_of_ward")}
        </span>
      </th>
    );
  };
  return (
    <thead>
      <tr>
        <th scope="col">{say("ward.patient")}</th>
        {column(say("ward.news2_full"), say("ward.news2"))}
        {[CODES.heart_rate, CODES.respiratory_rate, CODES.spo2].map((one) => column(vitalName(one), vitalSign(one), [one]))}
        {column(say("vital.blood_pressure"), "BP", PRESSURES)}
        {column(say("vital.temperature"), say("ward.temperature"), [CODES.temperature])}
        <th scope="col" className={classes.trend}>
          <span aria-hidden="true">
            {code === CODES.temperature ? say("ward.temperature") : vitalSign(code)} {say("ward.trend")}
          </span>
          <span className="visually-hidden">{say("ward.trend_full", { vital: vitalName(code) })}</span>
        </th>
        <th scope="col">{say("ward.updated")}</th>
        <th scope="col">{say("ward.alarm")}</th>
      </tr>
    </thead>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
  ArrowRight: IN_ONE_COLUMN,
  ArrowLeft: -IN_ONE_COLUMN,
};

function onArrow(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row]")];
  const row = event.target instanceof Element ? event.target.closest("tr") : null;
  const here = links.findIndex((link) => row?.contains(link));
  if (here < 0) return;
  event.preventDefault();
  const beside = Math.abs(step) === IN_ONE_COLUMN && links[here + step] === undefined;
  if (!beside) links[Math.min(links.length - 1, Math.max(0, here + step))]?.focus();
}
