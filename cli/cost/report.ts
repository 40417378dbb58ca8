// The cost report as Markdown tables.
import type { CountName } from "../../bench/cost/counts.ts";
import { type Counted, TRAFFIC_KINDS } from "../../bench/cost/traffic.ts";
import type { YearEnd } from "./curve.ts";
import { workerCpuMs } from "./month.ts";
import { type Bill, PLAN_DOLLARS, PRICES } from "./prices.ts";

const COLUMNS: readonly [title: string, counts: readonly CountName[]][] = [
  ["Worker requests", ["requests"]],
  ["D1 trips", ["d1Trips"]],
  ["D1 rows read", ["d1Read"]],
  ["written", ["d1Written"]],
  ["D1 bytes", ["d1Bytes"]],
  ["object calls", ["objectCalls"]],
  ["alarms", ["alarms"]],
  ["frames", ["socketMessages"]],
  ["object rows read", ["objectRead"]],
  ["written", ["objectWritten"]],
  ["awake, ms", ["objectAwakeMs"]],
  ["KV reads", ["kvRead"]],
  ["KV writes", ["kvWritten", "kvDeleted", "kvListed"]],
  ["cache calls", ["cacheCalls"]],
  ["R2 A", ["r2A"]],
  ["R2 B", ["r2B"]],
  ["log lines", ["logLines"]],
];

const formatRow = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const formatRule = (columns: number) => formatRow([":--", ...Array.from({ length: columns - 1 }, () => "--:")]);
const formatDollars = (amount: number) => (amount > 0 && amount < 0.005 ? "< 0.01" : amount.toFixed(2));

/** Two decimals below ten, otherwise a whole number; millions as "M". */
function amount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return Number.isInteger(value) || value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

/** Operations per unit of each kind of traffic. */
export function formatCounts({ stretches, floors }: Counted): string {
  const rows = TRAFFIC_KINDS.map((kind) => {
    const { units, counts } = stretches[kind];
    const cells = COLUMNS.map(([, names]) => amount(names.reduce((sum, name) => sum + counts[name], 0) / units));
    return formatRow([kind, String(units), ...cells, amount(workerCpuMs(kind, stretches[kind], floors) / units)]);
  });
  const titles = ["unit", "counted", ...COLUMNS.map(([title]) => title), "CPU, ms"];
  return [formatRow(titles), formatRule(titles.length), ...rows].join("\n");
}

/** Both bills side by side; omits lines without usage. */
export function formatBill(without: Bill, withMonitors: Bill): string {
  const titles = ["per month", "included", "without monitors", "list, $", "billed, $", "with monitors", "list, $", "billed, $"];
  const rows = without.lines.flatMap((line, i) => {
    const other = withMonitors.lines[i] ?? line;
    if (line.used === 0 && other.used === 0) return [];
    const { label, included } = PRICES[line.item];
    const cells = [line, other].flatMap(({ used, list, billed }) => [amount(used), formatDollars(list), formatDollars(billed)]);
    return [formatRow([label, amount(included), ...cells])];
  });
  const plan = formatRow(["plan", "", "", "", formatDollars(PLAN_DOLLARS), "", "", formatDollars(PLAN_DOLLARS)]);
  const totals = [without, withMonitors].flatMap(({ list, total }) => ["", formatDollars(list), formatDollars(total)]);
  return [formatRow(titles), formatRule(titles.length), ...rows, plan, formatRow(["**total**", "", ...totals])].join("\n");
}

/** D1's size at the end of each year by kind of row, in gigabytes. */
export function formatCurve(years: readonly YearEnd[]): string {
  const titles = ["year", "staged audit events", "hours", "packed months", "reports", "upload log", "other", "total, GB"];
  const rows = years.map(({ year, audit, hours, months, reports, uploads, other, total }) =>
    formatRow([String(year), ...[audit, hours, months, reports, uploads, other, total].map((bytes) => (bytes / 1e9).toFixed(2))]),
  );
  return [formatRow(titles), formatRule(titles.length), ...rows].join("\n");
}
