// Counts over time: bars, or the same numbers as a table.
import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Table } from "../design/data-table.tsx";
import { Card } from "../design/page.tsx";
import { number } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import classes from "./bar-chart.module.css";

export type Bar = { key: string; label: string; short: string; n: number /** Still counting. */; open?: boolean };

type BarsProps = { title: string; bars: readonly Bar[] };

export function BarChart({ title, bars, note }: BarsProps & { note?: ReactNode }) {
  const say = useSay();
  const [view, setView] = useState("chart");
  const toggle = (
    <SegmentedControl
      className={classes.toggle}
      aria-label={title}
      value={view}
      onChange={setView}
      data={[
        { value: "chart", label: say("common.chart") },
        { value: "table", label: say("common.table") },
      ]}
    />
  );
  return (
    <Card title={title} actions={toggle} className={classes.card}>
      {view === "chart" ? <Bars title={title} bars={bars} /> : <Numbers title={title} bars={bars} />}
      {note && <p className={classes.note}>{note}</p>}
    </Card>
  );
}

function Bars({ title, bars }: BarsProps) {
  const say = useSay();
  const total = bars.reduce((sum, { n }) => sum + n, 0);
  const most = bars.reduce<Bar | undefined>((best, bar) => (best && best.n >= bar.n ? best : bar), undefined);
  const top = Math.max(1, most?.n ?? 0);
  const [first, last] = [bars[0], bars.at(-1)];
  const middle = bars[Math.floor(bars.length / 2)];
  const words = say("admin.chart", { title, total: number(total), most: number(most?.n ?? 0), when: most?.label ?? "" });
  return (
    <figure className={classes.figure} aria-label={words}>
      <div className={classes.plot}>
        <span className={classes.top} aria-hidden="true">
          {number(top)}
        </span>
        <svg viewBox={`0 0 ${bars.length * 10} 100`} preserveAspectRatio="none" aria-hidden="true">
          {bars.map(({ key, label, n, open }, i) => (
            <g key={key}>
              <title>{`${label}: ${number(n)}`}</title>
              <rect className={classes.slot} x={i * 10} y={0} width={10} height={100} />
              <rect
                className={open ? classes.open : classes.bar}
                x={i * 10 + 1.5}
                width={7}
                y={100 - height(n, top)}
                height={height(n, top)}
              />
            </g>
          ))}
        </svg>
      </div>
      <div className={classes.axis} aria-hidden="true">
        <span>{first?.short}</span>
        <span>{middle?.short}</span>
        <span>{last?.short}</span>
      </div>
      <figcaption className={classes.note}>
        {say("admin.chart_sum", { total: number(total), most: number(most?.n ?? 0) })}
      </figcaption>
    </figure>
  );
}

/** One of many is still to be seen. */
const height = (n: number, top: number) => (n === 0 ? 0 : Math.max(2, (n / top) * 100));

function Numbers({ title, bars }: BarsProps) {
  const say = useSay();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard.
    <section className={classes.numbers} tabIndex={0} aria-label={title}>
      <Table
        label={title}
        columns={[
          { label: say("admin.time"), cell: ({ label, open }) => (open ? say("admin.so_far", { when: label }) : label) },
          { label: say("admin.count"), cell: ({ n }) => number(n), align: "end" },
        ]}
        items={[...bars].reverse()}
        keyOf={({ key }) => key}
      />
    </section>
  );
}
