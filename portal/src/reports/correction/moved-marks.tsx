// Marks of reports that were moved from a patient's record to the right one: when, and nothing of their content.
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useMovedReports } from "./api.ts";

export function MovedMarks({ patientId, zone }: { patientId: string; zone: string | undefined }) {
  const t = useTranslation();
  const { data } = useMovedReports(patientId);
  const marks = data?.pages.flatMap(({ items }) => items) ?? [];
  if (marks.length === 0) return null;
  return (
    <ul className={layout.note} aria-label={t("reports.moved_marks")}>
      {marks.map(({ mark_id, moved_at }) => (
        <li key={mark_id}>{t("reports.moved_away", { at: formatDateTime(moved_at, zone) })}</li>
      ))}
    </ul>
  );
}
