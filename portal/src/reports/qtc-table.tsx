// QTc computed from the supplied intervals, beside the device's own; a difference of more than 10 ms is marked.
import { translateCode, useTranslation } from "../platform/messages/translate.ts";
import type { Report } from "./api.ts";
import { formatMetric } from "./format-metric.ts";
import classes from "./report.module.css";

type ComputedQtc = NonNullable<Report["computed_qtc"]>;
type QtcTableProps = { computed: ComputedQtc; metrics: Record<string, unknown> };

export function QtcTable({ computed, metrics }: QtcTableProps) {
  const t = useTranslation();
  const rows = [
    { key: "qtc_bazett_ms", value: computed.bazett_ms },
    { key: "qtc_fridericia_ms", value: computed.fridericia_ms },
    ...("qtc_interval_ms" in metrics ? [{ key: "qtc_interval_ms", value: null }] : []),
  ];
  const source = { qt: computed.qt_interval_ms, rr: computed.rr_interval_ms };
  return (
    <>
      <h3 className={classes.interpretation}>{t("reports.qtc_computed")}</h3>
      <p className={classes.said}>
        {t(computed.rr_source === "heart_rate" ? "reports.qtc_from_rate" : "reports.qtc_from_rr", source)}
      </p>
      <table className={classes.metrics} aria-label={t("reports.qtc_computed")}>
        <thead>
          <tr>
            <th scope="col">{t("reports.measurement")}</th>
            <th scope="col">{t("reports.qtc_device")}</th>
            <th scope="col">{t("reports.qtc_here")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, value }) => (
            <tr key={key}>
              <th scope="row">{translateCode("metric", key)}</th>
              <td>{formatMetric(key, readNumber(metrics[key]))}</td>
              <td>
                {formatMetric(key, value)}{" "}
                {computed.differing.includes(key) && <strong className={classes.invalid}>{t("reports.qtc_differs")}</strong>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const readNumber = (value: unknown): number | null => (typeof value === "number" ? value : null);
