// What a person does to the charts without dragging: range, earlier, later, closer, further, back to now; which vital; as what.
import layout from "../design/layout.module.css";
import { dateTime } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import classes from "./chart.module.css";
import { CHARTS, type Chart, MAIN } from "./charted.ts";
import { RANGE_NAMES } from "./range.ts";
import type { ChartSearch, Moves, Shown } from "./use-window.ts";

type ToolbarProps = {
  shown: Shown;
  moves: Moves;
  chosen: Chart | undefined;
  table: boolean;
  zone: string | undefined;
  search: ChartSearch;
  onSearch: (next: ChartSearch) => void;
};

const OTHERS = CHARTS.filter(({ id }) => !MAIN.includes(id));

type ChoiceProps = { pressed?: boolean; label?: string; disabled?: boolean; onClick: () => void; children: string };

function Choice({ pressed, label, disabled, onClick, children }: ChoiceProps) {
  return (
    <button
      type="button"
      className={classes.choice}
      aria-pressed={pressed}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

export function Toolbar({ shown, moves, chosen, table, zone, search, onSearch }: ToolbarProps) {
  const say = useSay();
  const { range, window, follows } = shown;
  const other = chosen && !MAIN.includes(chosen.id) ? chosen.id : "";
  return (
    <div className={layout.stack}>
      <div className={classes.toolbar}>
        <fieldset className={classes.group}>
          <legend className="visually-hidden">{say("vitals.range")}</legend>
          {RANGE_NAMES.map((name) => (
            <Choice key={name} pressed={follows && name === range} onClick={() => moves.setRange(name)}>
              {say(`vitals.range.${name}`)}
            </Choice>
          ))}
        </fieldset>
        <div className={classes.group}>
          <Choice label={say("vitals.earlier")} onClick={() => moves.move(-1)}>
            ◀
          </Choice>
          <Choice label={say("vitals.later")} disabled={follows} onClick={() => moves.move(1)}>
            ▶
          </Choice>
          <Choice label={say("vitals.zoom_out")} onClick={() => moves.zoom(2)}>
            −
          </Choice>
          <Choice label={say("vitals.zoom_in")} onClick={() => moves.zoom(0.5)}>
            +
          </Choice>
          <Choice pressed={follows} onClick={moves.live}>
            {say("vitals.live")}
          </Choice>
        </div>
        <fieldset className={classes.group}>
          <legend className="visually-hidden">{say("vitals.view")}</legend>
          <Choice pressed={!table} onClick={() => onSearch({ ...search, view: undefined })}>
            {say("common.chart")}
          </Choice>
          <Choice pressed={table} onClick={() => onSearch({ ...search, view: "table", code: search.code ?? CHARTS[0]?.id })}>
            {say("common.table")}
          </Choice>
        </fieldset>
      </div>
      <fieldset className={classes.group}>
        <legend className="visually-hidden">{say("vitals.which")}</legend>
        {!table && (
          <Choice pressed={!chosen} onClick={() => onSearch({ ...search, code: undefined })}>
            {say("vitals.all")}
          </Choice>
        )}
        {MAIN.map((id) => (
          <Choice key={id} pressed={chosen?.id === id} onClick={() => onSearch({ ...search, code: id })}>
            {sayOf("vital", id)}
          </Choice>
        ))}
        <select
          className={classes.choice}
          aria-label={say("vitals.others")}
          data-chosen={other !== ""}
          value={other}
          onChange={({ currentTarget }) => onSearch({ ...search, code: currentTarget.value || undefined })}
        >
          <option value="">{say("vitals.others")}</option>
          {OTHERS.map(({ id }) => (
            <option key={id} value={id}>
              {sayOf("vital", id)}
            </option>
          ))}
        </select>
      </fieldset>
      <p className={layout.count}>
        {follows
          ? say("vitals.follows")
          : say("vitals.stands", { from: dateTime(window.from, zone), to: dateTime(window.to, zone) })}
        {table ? "" : ` · ${say("vitals.drag")}`}
      </p>
    </div>
  );
}
