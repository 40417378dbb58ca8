// Table of a report's measurements; invalid values are struck through and labelled.
import { formatNumber } from "../platform/design/format.ts";
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import { type MetricReading, toMetricReadings } from "./metrics.ts";
import classes from "./report.module.css";
import type { Kind } from "./report-kinds.ts";

/** Two narrow columns, on a phone too. */
export function MetricsTable({ kind, metrics }: { kind: Kind; metrics: Record<string, unknown> }) {
  const t = useTranslation();
  return (
    <table className={classes.metrics} aria-label={t("reports.measurements")}>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{t("reports.measurement")}</th>
          <th scope="col">{t("reports.value")}</th>
        </tr>
      </thead>
      <tbody>
        {toMetricReadings(kind, metrics).map((reading) => (
          <tr key={reading.key}>
            <th scope="row">{translateCode("metric", reading.key)}</th>
            <td>
              <MetricValue reading={reading} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function MetricValue({ reading: { value, unit, valid } }: { reading: MetricReading }) {
  const t = useTranslation();
  if (value === null) return <>{t("reports.not_measured")}</>;
  const valueText = `${typeof value === "number" ? formatNumber(value) : value}${formatUnit(unit)}`;
  if (valid) return <strong>{valueText}</strong>;
  return (
    <>
      <del>{valueText}</del> <strong className={classes.invalid}>{t("reports.invalid")}</strong>
    </>
  );
}

const formatUnit = (unit: string | null) => (unit === null ? "" : unit === "°" ? unit : ` ${unit}`);
