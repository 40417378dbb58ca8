// A chart's points as a table, newest first, 100 rows per page.
import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { Table } from "../../platform/design/data-table.tsx";
import { formatDateTime, formatNumber } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { useLivePatient } from "../live/use-live.ts";
import classes from "./chart.module.css";
import { type Chart, formatUcumUnit, getConsciousnessLetter, getVitalUnit } from "./chart-catalogue.ts";
import { buildLine, type ChartData } from "./chart-data.ts";
import { type Point, type Row, toTableRows } from "./chart-series.ts";
import { formatDateTimeSeconds } from "./format-seconds.ts";
import type { TimeWindow } from "./time-window.ts";

type BucketTableProps = {
  patientId: string;
  chart: Chart;
  data: ChartData;
  window: TimeWindow;
  follows: boolean;
  zone: string | undefined;
};

const ROWS_PER_PAGE = 100;
const NO_SAMPLES: readonly never[] = [];
type TableRow = Row & { invalid?: number };

export function BucketTable({ patientId, chart, data, window, follows, zone }: BucketTableProps) {
  const t = useTranslation();
  const recent = useLivePatient(follows ? patientId : "")?.recent ?? NO_SAMPLES;
  const [page, setPage] = useState(0);
  const rows = useMemo(() => listVisibleRows(chart, data, recent, window), [chart, data, recent, window]);
  const firstIndex = Math.min(page * ROWS_PER_PAGE, Math.max(0, Math.ceil(rows.length / ROWS_PER_PAGE) - 1) * ROWS_PER_PAGE);
  const name = translateCode("vital", chart.id);
  const isRaw = data.step === 0;

  const formatValue = (at: number) => getConsciousnessLetter(chart.id, at) ?? formatNumber(at, chart.decimals);
  const hasSeveralLines = chart.vitals.length > 1;
  const withVitalName = (line: number, text: string) =>
    hasSeveralLines ? `${translateCode("vital", chart.vitals[line] ?? "")}: ${text}` : text;
  const column = (line: number, label: string, of: (point: Point) => string) => ({
    label: withVitalName(line, label),
    align: "end" as const,
    cell: ({ cells, invalid }: TableRow) => {
      const point = cells[line];
      if (point) return of(point);
      if (invalid === undefined || line > 0) return t("vitals.no_data");
      return (
        <>
          <del>{formatValue(invalid)}</del> {t("vitals.invalid")}
        </>
      );
    },
  });
  const columnsOfLine = (line: number) =>
    isRaw
      ? [column(line, t("vitals.value"), ({ mean }) => formatValue(mean))]
      : [
          column(line, t("vitals.mean"), ({ mean }) => formatValue(mean)),
          column(line, t("vitals.lowest"), ({ min }) => formatValue(min)),
          column(line, t("vitals.highest"), ({ max }) => formatValue(max)),
        ];
  const time = {
    label: t("vitals.time"),
    cell: ({ at, from }: TableRow) =>
      data.step >= 60_000 ? formatDateTime(from, zone) : formatDateTimeSeconds(isRaw ? at : from, zone),
  };
  const count = { label: t("vitals.count"), align: "end" as const, cell: ({ cells }: TableRow) => cells[0]?.n ?? "" };
  const unit = formatUcumUnit(getVitalUnit(chart.vitals[0] ?? ""));

  return (
    <Card title={unit ? `${name}, ${unit}` : name}>
      {rows.length === 0 ? (
        <p>{t("vitals.no_data_yet")}</p>
      ) : (
        <>
          <Table
            label={t("vitals.table_of", { vital: name })}
            columns={[time, ...chart.vitals.flatMap((_, line) => columnsOfLine(line)), ...(isRaw ? [] : [count])]}
            items={rows.slice(firstIndex, firstIndex + ROWS_PER_PAGE)}
            rowKey={({ at, invalid }) => `${at} ${invalid ?? ""}`}
          />
          {rows.length > ROWS_PER_PAGE && (
            <div className={classes.pages}>
              <Button variant="default" disabled={firstIndex === 0} onClick={() => setPage(firstIndex / ROWS_PER_PAGE - 1)}>
                {t("vitals.newer")}
              </Button>
              <span role="status">
                {t("vitals.page", {
                  from: firstIndex + 1,
                  to: Math.min(rows.length, firstIndex + ROWS_PER_PAGE),
                  total: rows.length,
                })}
              </span>
              <Button
                variant="default"
                disabled={firstIndex + ROWS_PER_PAGE >= rows.length}
                onClick={() => setPage(firstIndex / ROWS_PER_PAGE + 1)}
              >
                {t("vitals.older")}
              </Button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}

function listVisibleRows(
  chart: Chart,
  data: ChartData,
  recent: Parameters<typeof buildLine>[2],
  { from, to }: TimeWindow,
): TableRow[] {
  const lines = chart.vitals.map((vital) => buildLine(data, vital, recent));
  const invalid = lines.flatMap((line) =>
    line.invalid.map(({ at, value }) => ({ at, from: at, to: at, cells: [], invalid: value })),
  );
  const rows: TableRow[] = [...toTableRows(lines), ...invalid];
  return rows.filter((row) => row.to >= from && row.at <= to + data.step).sort((a, b) => b.at - a.at);
}
