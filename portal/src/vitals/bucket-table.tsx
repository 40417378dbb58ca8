// A chart as a table: the same points, newest first, a hundred rows a page.
import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { Table } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { dateTime, number } from "../design/time.ts";
import { useLivePatient } from "../live/use-live.ts";
import { sayOf, useSay } from "../messages/index.ts";
import classes from "./chart.module.css";
import { type ChartData, lineOf } from "./chart-data.ts";
import { type Chart, letterOf, unitOfVital, unitText } from "./charted.ts";
import type { Window } from "./range.ts";
import { type Point, type Row, rowsOf } from "./series.ts";
import { seconds } from "./times.ts";

type BucketTableProps = {
  patientId: string;
  chart: Chart;
  data: ChartData;
  window: Window;
  follows: boolean;
  zone: string | undefined;
};

const ROWS = 100;
const NOTHING: readonly never[] = [];
type Shown = Row & { invalid?: number };

export function BucketTable({ patientId, chart, data, window, follows, zone }: BucketTableProps) {
  const say = useSay();
  const recent = useLivePatient(follows ? patientId : "")?.recent ?? NOTHING;
  const [page, setPage] = useState(0);
  const rows = useMemo(() => shownRows(chart, data, recent, window), [chart, data, recent, window]);
  const first = Math.min(page * ROWS, Math.max(0, Math.ceil(rows.length / ROWS) - 1) * ROWS);
  const name = sayOf("vital", chart.id);
  const raw = data.step === 0;

  const value = (at: number) => letterOf(chart.id, at) ?? number(at, chart.decimals);
  const several = chart.vitals.length > 1;
  const headed = (line: number, text: string) => (several ? `${sayOf("vital", chart.vitals[line] ?? "")}: ${text}` : text);
  const column = (line: number, label: string, of: (point: Point) => string) => ({
    label: headed(line, label),
    align: "end" as const,
    cell: ({ cells, invalid }: Shown) => {
      const point = cells[line];
      if (point) return of(point);
      if (invalid === undefined || line > 0) return say("vitals.no_data");
      return (
        <>
          <del>{value(invalid)}</del> {say("vitals.invalid")}
        </>
      );
    },
  });
  const columnsOfLine = (line: number) =>
    raw
      ? [column(line, say("vitals.value"), ({ mean }) => value(mean))]
      : [
          column(line, say("vitals.mean"), ({ mean }) => value(mean)),
          column(line, say("vitals.lowest"), ({ min }) => value(min)),
          column(line, say("vitals.highest"), ({ max }) => value(max)),
        ];
  const time = {
    label: say("vitals.time"),
    cell: ({ at, from }: Shown) => (data.step >= 60_000 ? dateTime(from, zone) : seconds(raw ? at : from, zone)),
  };
  const count = { label: say("vitals.count"), align: "end" as const, cell: ({ cells }: Shown) => cells[0]?.n ?? "" };
  const unit = unitText(unitOfVital(chart.vitals[0] ?? ""));

  return (
    <Card title={unit ? `${name}, ${unit}` : name}>
      {rows.length === 0 ? (
        <p>{say("vitals.no_data_yet")}</p>
      ) : (
        <>
          <Table
            label={say("vitals.table_of", { vital: name })}
            columns={[time, ...chart.vitals.flatMap((_, line) => columnsOfLine(line)), ...(raw ? [] : [count])]}
            items={rows.slice(first, first + ROWS)}
            keyOf={({ at, invalid }) => `${at} ${invalid ?? ""}`}
          />
          {rows.length > ROWS && (
            <div className={classes.pages}>
              <Button variant="default" disabled={first === 0} onClick={() => setPage(first / ROWS - 1)}>
                {say("vitals.newer")}
              </Button>
              <span role="status">
                {say("vitals.page", { from: first + 1, to: Math.min(rows.length, first + ROWS), total: rows.length })}
              </span>
              <Button variant="default" disabled={first + ROWS >= rows.length} onClick={() => setPage(first / ROWS + 1)}>
                {say("vitals.older")}
              </Button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}

function shownRows(chart: Chart, data: ChartData, recent: Parameters<typeof lineOf>[2], { from, to }: Window): Shown[] {
  const lines = chart.vitals.map((vital) => lineOf(data, vital, recent));
  const invalid = lines.flatMap((line) =>
    line.invalid.map(({ at, value }) => ({ at, from: at, to: at, cells: [], invalid: value })),
  );
  const rows: Shown[] = [...rowsOf(lines), ...invalid];
  return rows.filter((row) => row.to >= from && row.at <= to + data.step).sort((a, b) => b.at - a.at);
}
