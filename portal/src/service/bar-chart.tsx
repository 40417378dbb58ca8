// Bar chart of counts over time, or the same numbers as a table.
import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Table } from "../platform/design/data-table.tsx";
import { formatNumber } from "../platform/design/format.ts";
import { Card } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import classes from "./bar-chart.module.css";

export type Bar = { key: string; label: string; shortLabel: string; count: number /** Still counting. */; isPartial?: boolean };

type BarsProps = { title: string; bars: readonly Bar[] };

export function BarChart({ title, bars, note }: BarsProps & { note?: ReactNode }) {
  const t = useTranslation();
  const [view, setView] = useState("chart");
  const toggle = (
    <SegmentedControl
      className={classes.toggle}
      aria-label={title}
      value={view}
      onChange={setView}
      data={[
        { value: "chart", label: t("common.chart") },
        { value: "table", label: t("common.table") },
      ]}
    />
  );
  return (
    <Card title={title} actions={toggle} className={classes.card}>
      {view === "chart" ? <Bars title={title} bars={bars} /> : <BarTable title={title} bars={bars} />}
      {note && <p className={classes.note}>{note}</p>}
    </Card>
  );
}

function Bars({ title, bars }: BarsProps) {
  const t = useTranslation();
  const total = bars.reduce((sum, { count }) => sum + count, 0);
  const most = bars.reduce<Bar | undefined>(
    (largestSoFar, bar) => (largestSoFar && largestSoFar.count >= bar.count ? largestSoFar : bar),
    undefined,
  );
  const top = Math.max(1, most?.count ?? 0);
  const [first, last] = [bars[0], bars.at(-1)];
  const middle = bars[Math.floor(bars.length / 2)];
  const summary = t("admin.chart", {
    title,
    total: formatNumber(total),
    most: formatNumber(most?.count ?? 0),
    when: most?.label ?? "",
  });
  return (
    <figure className={classes.figure} aria-label={summary}>
      <div className={classes.plot}>
        <span className={classes.top} aria-hidden="true">
          {formatNumber(top)}
        </span>
        <svg viewBox={`0 0 ${bars.length * 10} 100`} preserveAspectRatio="none" aria-hidden="true">
          {bars.map(({ key, label, count, isPartial }, i) => (
            <g key={key}>
              <title>{`${label}: ${formatNumber(count)}`}</title>
              <rect className={classes.slot} x={i * 10} y={0} width={10} height={100} />
              <rect
                className={isPartial ? classes.open : classes.bar}
                x={i * 10 + 1.5}
                width={7}
                y={100 - barHeight(count, top)}
                height={barHeight(count, top)}
              />
            </g>
          ))}
        </svg>
      </div>
      <div className={classes.axis} aria-hidden="true">
        <span>{first?.shortLabel}</span>
        <span>{middle?.shortLabel}</span>
        <span>{last?.shortLabel}</span>
      </div>
      <figcaption className={classes.note}>
        {t("admin.chart_sum", { total: formatNumber(total), most: formatNumber(most?.count ?? 0) })}
      </figcaption>
    </figure>
  );
}

/** A minimum height, so that 1 of many stays visible. */
const barHeight = (count: number, top: number) => (count === 0 ? 0 : Math.max(2, (count / top) * 100));

function BarTable({ title, bars }: BarsProps) {
  const t = useTranslation();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll container must be reachable by keyboard.
    <section className={classes.numbers} tabIndex={0} aria-label={title}>
      <Table
        label={title}
        columns={[
          { label: t("admin.time"), cell: ({ label, isPartial }) => (isPartial ? t("admin.so_far", { when: label }) : label) },
          { label: t("admin.count"), cell: ({ count }) => formatNumber(count), align: "end" },
        ]}
        items={[...bars].reverse()}
        rowKey={({ key }) => key}
      />
    </section>
  );
}
