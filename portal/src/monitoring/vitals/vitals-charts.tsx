// All vital signs of one patient as charts or tables of one period, which is stored in the URL.
import { useMemo, useState } from "react";
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import classes from "./chart.module.css";
import { CHARTS, findChart } from "./chart-catalogue.ts";
import { ChartGrid } from "./chart-grid.tsx";
import { SamplesTable } from "./samples-table.tsx";
import type { ChartSearch } from "./time-window.ts";
import { Toolbar } from "./toolbar.tsx";
import { useWindow } from "./use-window.ts";

type VitalsChartsProps = {
  patientId: string;
  /** Patient mode: no limits, no alarms, no corrections. */
  isPlain?: boolean;
  /** False for a record without a live view, whose period the caller fixes. */
  isLive?: boolean;
  /** The hospital's time zone; undefined for the browser's. */
  zone?: string | undefined;
  /** URL parameters: code, range, from, to, view. */
  search: ChartSearch;
  /** Replaces the URL parameters. */
  onSearch: (next: ChartSearch) => void;
};

export function VitalsCharts({ patientId, isPlain = false, isLive = true, zone, search, onSearch }: VitalsChartsProps) {
  const t = useTranslation();
  const [shown, windowControls] = useWindow(patientId, search, onSearch);
  const [showsSamples, setShowsSamples] = useState(false);
  const isTable = search.view === "table";
  const selectedChart = findChart(search.code) ?? (isTable ? CHARTS[0] : undefined);
  const candidates = useMemo(() => (selectedChart ? [selectedChart] : CHARTS), [selectedChart]);
  return (
    <div className={layout.stack}>
      <Toolbar {...{ shown, windowControls, selectedChart, isTable, isLive, zone, search, onSearch }} />
      <ChartGrid {...{ patientId, candidates, shown, zone, isPlain, isTable }} onZoom={windowControls.zoomTo} key={patientId}>
        {isTable && selectedChart && !isPlain && !showsSamples && (
          <div>
            <button type="button" className={classes.choice} onClick={() => setShowsSamples(true)}>
              {t("vitals.show_samples")}
            </button>
          </div>
        )}
        {isTable && selectedChart && !isPlain && showsSamples && (
          <SamplesTable patientId={patientId} chart={selectedChart} window={shown.requested} zone={zone} />
        )}
      </ChartGrid>
    </div>
  );
}
