// Server-computed preview of alarms in the last day under new limits.
import { formatDateTime } from "../../platform/design/format.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { Preview } from "./api.ts";
import { describePreview } from "./rule-text.ts";
import classes from "./rules.module.css";

const PRIORITIES = ["high", "medium", "low"] as const;

export function PreviewTable({ preview, zone }: { preview: Preview; zone: string | undefined }) {
  const t = useTranslation();
  const { before, after, samples } = preview;
  if (samples === 0) return <p className={classes.consequence}>{t("rules.no_samples")}</p>;
  return (
    <>
      <p className={classes.consequence}>{describePreview(preview)}</p>
      <table className={classes.counts}>
        <caption>{t("rules.preview")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("rules.priority")}</th>
            <th scope="col">{t("rules.now")}</th>
            <th scope="col">{t("rules.then")}</th>
          </tr>
        </thead>
        <tbody>
          {PRIORITIES.map((priority) => (
            <tr key={priority}>
              <th scope="row">{translateCode("priority", priority)}</th>
              <td>{before[priority]}</td>
              <td>{after[priority]}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">{t("rules.total")}</th>
            <td>{before.alarms}</td>
            <td>{after.alarms}</td>
          </tr>
        </tbody>
      </table>
      <p className={classes.note}>
        {t("rules.samples", {
          n: samples,
          from: formatDateTime(preview.from, zone),
          to: formatDateTime(preview.to, zone),
        })}
      </p>
    </>
  );
}
