// Chart toolbar: range, panning, zoom, return to live, vital sign and view.

import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import classes from "./chart.module.css";
import { CHARTS, type Chart, MAIN_CHARTS } from "./chart-catalogue.ts";
import { type ChartSearch, RANGE_NAMES } from "./time-window.ts";
import type { WindowControls, WindowState } from "./use-window.ts";

type ToolbarProps = {
  shown: WindowState;
  windowControls: WindowControls;
  selectedChart: Chart | undefined;
  isTable: boolean;
  isLive: boolean;
  zone: string | undefined;
  search: ChartSearch;
  onSearch: (next: ChartSearch) => void;
};

const OTHER_CHARTS = CHARTS.filter(({ id }) => !MAIN_CHARTS.includes(id));

type ToolbarButtonProps = { isPressed?: boolean; label?: string; disabled?: boolean; onClick: () => void; children: string };

function ToolbarButton({ isPressed, label, disabled, onClick, children }: ToolbarButtonProps) {
  return (
    <button
      type="button"
      className={classes.choice}
      aria-pressed={isPressed}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

export function Toolbar({ shown, windowControls, selectedChart, isTable, isLive, zone, search, onSearch }: ToolbarProps) {
  const t = useTranslation();
  const { range, window, isFollowing: follows } = shown;
  const other = selectedChart && !MAIN_CHARTS.includes(selectedChart.id) ? selectedChart.id : "";
  return (
    <div className={layout.stack}>
      <div className={classes.toolbar}>
        <fieldset className={classes.group}>
          <legend className="visually-hidden">{t("vitals.range")}</legend>
          {RANGE_NAMES.map((name) => (
            <ToolbarButton key={name} isPressed={follows && name === range} onClick={() => windowControls.setRange(name)}>
              {t(`vitals.range.${name}`)}
            </ToolbarButton>
          ))}
        </fieldset>
        <div className={classes.group}>
          <ToolbarButton label={t("vitals.earlier")} onClick={() => windowControls.move(-1)}>
            ◀
          </ToolbarButton>
          <ToolbarButton label={t("vitals.later")} disabled={follows} onClick={() => windowControls.move(1)}>
            ▶
          </ToolbarButton>
          <ToolbarButton label={t("vitals.zoom_out")} onClick={() => windowControls.zoom(2)}>
            −
          </ToolbarButton>
          <ToolbarButton label={t("vitals.zoom_in")} onClick={() => windowControls.zoom(0.5)}>
            +
          </ToolbarButton>
          {isLive && (
            <ToolbarButton isPressed={follows} onClick={windowControls.live}>
              {t("vitals.live")}
            </ToolbarButton>
          )}
        </div>
        <fieldset className={classes.group}>
          <legend className="visually-hidden">{t("vitals.view")}</legend>
          <ToolbarButton isPressed={!isTable} onClick={() => onSearch({ ...search, view: undefined })}>
            {t("common.chart")}
          </ToolbarButton>
          <ToolbarButton
            isPressed={isTable}
            onClick={() => onSearch({ ...search, view: "table", code: search.code ?? CHARTS[0]?.id })}
          >
            {t("common.table")}
          </ToolbarButton>
        </fieldset>
      </div>
      <fieldset className={classes.group}>
        <legend className="visually-hidden">{t("vitals.which")}</legend>
        {!isTable && (
          <ToolbarButton isPressed={!selectedChart} onClick={() => onSearch({ ...search, code: undefined })}>
            {t("vitals.all")}
          </ToolbarButton>
        )}
        {MAIN_CHARTS.map((id) => (
          <ToolbarButton key={id} isPressed={selectedChart?.id === id} onClick={() => onSearch({ ...search, code: id })}>
            {translateCode("vital", id)}
          </ToolbarButton>
        ))}
        <select
          className={classes.choice}
          aria-label={t("vitals.others")}
          data-chosen={other !== ""}
          value={other}
          onChange={({ currentTarget }) => onSearch({ ...search, code: currentTarget.value || undefined })}
        >
          <option value="">{t("vitals.others")}</option>
          {OTHER_CHARTS.map(({ id }) => (
            <option key={id} value={id}>
              {translateCode("vital", id)}
            </option>
          ))}
        </select>
      </fieldset>
      <p className={layout.count}>
        {follows
          ? t("vitals.follows")
          : t("vitals.stands", { from: formatDateTime(window.from, zone), to: formatDateTime(window.to, zone) })}
        {isTable ? "" : ` · ${t("vitals.drag")}`}
      </p>
    </div>
  );
}
