// Corrections of a report on its page: actions of staff, and the history with what the values were.
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { DataTable } from "../../platform/design/data-table.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card } from "../../platform/design/page.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import type { Report } from "../api.ts";
import { SenderName } from "../sender-name.tsx";
import { type ReportChange, useReportChanges } from "./api.ts";
import { CorrectDialog, ErrorMarkDialog } from "./correct-dialog.tsx";
import { MoveDialog } from "./move-dialog.tsx";

type Action = "correct" | "move" | "mark";

export function ReportActions({ report }: { report: Report }) {
  const t = useTranslation();
  const [action, setAction] = useState<Action | null>(null);
  const close = () => setAction(null);
  const isInError = report.status === "entered-in-error";
  return (
    <Group>
      <Button variant="default" onClick={() => setAction("correct")}>
        {t("reports.correct")}…
      </Button>
      <Button variant="default" onClick={() => setAction("move")}>
        {t("reports.move")}…
      </Button>
      <Button variant="default" onClick={() => setAction("mark")}>
        {t(isInError ? "reports.restore" : "reports.mark_error")}…
      </Button>
      {action === "correct" && <CorrectDialog report={report} onClose={close} />}
      {action === "move" && <MoveDialog report={report} onClose={close} />}
      {action === "mark" && <ErrorMarkDialog report={report} onClose={close} />}
    </Group>
  );
}

export function ReportHistory({ report }: { report: Report }) {
  const t = useTranslation();
  // The first version has no changes, which are not asked for.
  return (
    <Card title={t("reports.history")}>
      {report.version === 1 ? <p>{t("reports.no_changes")}</p> : <Changes report={report} />}
    </Card>
  );
}

function Changes({ report }: { report: Report }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(report.hospital_id);
  return (
    <DataTable
      label={t("reports.history")}
      query={useReportChanges(report.report_id)}
      columns={[
        { label: t("reports.changed_at"), cell: (change) => formatDateTime(change.changed_at, zone) },
        { label: t("reports.change"), cell: (change) => <ChangeText change={change} zone={zone} /> },
        { label: t("reports.change_reason"), cell: (change) => change.reason },
        { label: t("reports.changed_by"), cell: (change) => <SenderName sender={{ kind: "user", id: change.changed_by }} /> },
      ]}
      rowKey={(change) => change.change_id}
      isFiltered={false}
      empty={t("reports.no_changes")}
    />
  );
}

/** "Corrected. Measured: 2 Jan 2026 08:34 → 3 Jan 2026 08:34". */
function ChangeText({ change: { what, before, after }, zone }: { change: ReportChange; zone: string | undefined }) {
  const t = useTranslation();
  const show = (fields: ReportChange["before"], name: FieldName) => formatField(fields, name, zone);
  return (
    <>
      {translateCode("report_change", what)}
      {FIELD_NAMES.filter((name) => name in after).map((name) => (
        <div key={name}>
          {t(`report_field.${name}`)}: {show(before, name)} → {show(after, name)}
        </div>
      ))}
    </>
  );
}

const FIELD_NAMES = ["effective_at", "kind", "comment"] as const;
type FieldName = (typeof FIELD_NAMES)[number];

function formatField(fields: ReportChange["before"], name: FieldName, zone: string | undefined): string {
  const value = fields[name];
  if (!value) return "—";
  if (name === "effective_at") return formatDateTime(value, zone);
  return name === "kind" ? translateCode("report_kind", value) : value;
}
