// Everything that was measured of one patient, as charts or tables of one stretch of time. The address holds which.
import { useMemo, useState } from "react";
import layout from "../design/layout.module.css";
import { useSay } from "../messages/index.ts";
import classes from "./chart.module.css";
import { ChartGrid } from "./chart-grid.tsx";
import { CHARTS, chartOf } from "./charted.ts";
import { SamplesTable } from "./samples-table.tsx";
import { Toolbar } from "./toolbar.tsx";
import { type ChartSearch, useWindow } from "./use-window.ts";

type VitalsChartsProps = {
  patientId: string;
  /** For the patient: no limits, no alarms, no corrections. */
  plain?: boolean;
  /** Of the hospital; the browser's where it is not known. */
  zone?: string | undefined;
  /** The words of the address: code, range, from, to, view. */
  search: ChartSearch;
  /** Puts other words into the address, in place of these. */
  onSearch: (next: ChartSearch) => void;
};

export function VitalsCharts({ patientId, plain = false, zone, search, onSearch }: VitalsChartsProps) {
  const say = useSay();
  const [shown, moves] = useWindow(patientId, search, onSearch);
  const [single, setSingle] = useState(false);
  const table = search.view === "table";
  const chosen = chartOf(search.code) ?? (table ? CHARTS[0] : undefined);
  const among = useMemo(() => (chosen ? [chosen] : CHARTS), [chosen]);
  return (
    <div className={layout.stack}>
      <Toolbar {...{ shown, moves, chosen, table, zone, search, onSearch }} />
      <ChartGrid {...{ patientId, among, shown, zone, plain, table }} onZoom={moves.zoomTo} key={patientId}>
        {table && chosen && !plain && !single && (
          <div>
            <button type="button" className={classes.choice} onClick={() => setSingle(true)}>
              {say("vitals.show_samples")}
            </button>
          </div>
        )}
        {table && chosen && !plain && single && (
          <SamplesTable patientId={patientId} chart={chosen} window={shown.asked} zone={zone} />
        )}
      </ChartGrid>
    </div>
  );
}
