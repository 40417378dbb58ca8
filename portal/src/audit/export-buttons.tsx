// Downloads of the events that meet the filters.

import { serverNow } from "../monitoring/live/server-clock.ts";
import { useOwnTimeZone } from "../organization/hospitals/use-hospitals.ts";
import { dayInZone } from "../platform/design/calendar-days.ts";
import { FileButton } from "../platform/design/file-button.tsx";
import layout from "../platform/design/layout.module.css";
import { useTranslation } from "../platform/messages/translate.ts";
import { type AuditFilters, exportEvents } from "./api.ts";

export function ExportButtons({ filters }: { filters: AuditFilters }) {
  const t = useTranslation();
  const day = dayInZone(serverNow(), useOwnTimeZone());
  return (
    <div className={layout.stack}>
      <div className={layout.acts}>
        <FileButton load={(signal) => exportEvents("csv", filters, signal)} fileName={`audit-events-${day}.csv`}>
          {t("audit.export_csv")}
        </FileButton>
        <FileButton load={(signal) => exportEvents("ndjson", filters, signal)} fileName={`audit-events-${day}.ndjson`}>
          {t("audit.export_fhir")}
        </FileButton>
      </div>
      <p className={layout.note}>{t("audit.export_text")}</p>
    </div>
  );
}
