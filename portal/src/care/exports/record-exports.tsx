// Exports of a whole record: the form that begins one, and those that were begun, with their progress.
import { Button, NativeSelect, Progress } from "@mantine/core";
import { useState } from "react";
import { getLanguage, type Language } from "../../accounts/session/preferences.ts";
import { Table } from "../../platform/design/data-table.tsx";
import { Form } from "../../platform/design/form.tsx";
import { formatDateTime, formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { formatFileSize } from "../../reports/file-size.ts";
import { findDownloadPath, RECORD_FORMATS, type RecordExport, type RecordFormat, startExport, useExports } from "./api.ts";

type PlaceProps = { patientId: string; zone: string | undefined };

export function RecordExports({ patientId, zone }: PlaceProps) {
  const t = useTranslation();
  const query = useExports(patientId);
  return (
    <div className={layout.stack}>
      <Card>
        <p>{t("exports.intro")}</p>
        <NewExport patientId={patientId} />
      </Card>
      <Card title={t("exports.list")}>
        <QueryBoundary query={query}>
          {(items) =>
            items.length === 0 ? (
              <p>{t("exports.none")}</p>
            ) : (
              <Table
                label={t("exports.list")}
                items={items}
                rowKey={({ export_id }) => export_id}
                columns={[
                  { label: t("exports.asked_at"), cell: ({ created_at }) => formatDateTime(created_at, zone) },
                  { label: t("exports.format"), cell: ({ format }) => format.toUpperCase() },
                  { label: t("exports.state"), cell: (item) => <ExportState item={item} zone={zone} /> },
                  { label: t("exports.file"), cell: (item) => <DownloadExport item={item} zone={zone} /> },
                ]}
              />
            )
          }
        </QueryBoundary>
        <p className={layout.muted}>{t("exports.care")}</p>
      </Card>
    </div>
  );
}

function NewExport({ patientId }: { patientId: string }) {
  const t = useTranslation();
  const [format, setFormat] = useState<RecordFormat>("zip");
  const [language, setLanguage] = useState<Language>(getLanguage());
  const [key, setKey] = useState(() => crypto.randomUUID());
  return (
    <Form
      submitLabel={t("exports.start")}
      onSubmit={async () => {
        await startExport(patientId, { format, language }, key);
        setKey(crypto.randomUUID());
      }}
    >
      {(field) => (
        <>
          <NativeSelect
            {...field("format")}
            label={t("exports.format")}
            value={format}
            onChange={({ currentTarget: { value } }) => setFormat(RECORD_FORMATS.find((known) => known === value) ?? "zip")}
            data={RECORD_FORMATS.map((value) => ({ value, label: t(`exports.format.${value}`) }))}
          />
          <NativeSelect
            {...field("language")}
            label={t("exports.language")}
            value={language}
            onChange={({ currentTarget: { value } }) => setLanguage(value === "hi" ? "hi" : "en")}
            data={[
              { value: "en", label: "English" },
              { value: "hi", label: "हिन्दी" },
            ]}
          />
        </>
      )}
    </Form>
  );
}

function ExportState({ item: { state, progress, expires_at, reason }, zone }: { item: RecordExport; zone: string | undefined }) {
  const t = useTranslation();
  if (state === "running") {
    const text = t("exports.state.running", { percent: formatNumber(progress) });
    return (
      <div role="status">
        {text}
        <Progress value={progress} aria-label={text} />
      </div>
    );
  }
  if (state === "ready") return t("exports.state.ready", { until: formatDateTime(expires_at ?? "", zone) });
  if (state !== "failed") return t(`exports.state.${state}`);
  const why = reason === "export_too_large" ? t("exports.too_large") : t("exports.try_again");
  return `${t("exports.state.failed")}. ${why}`;
}

function DownloadExport({ item, zone }: { item: RecordExport; zone: string | undefined }) {
  const t = useTranslation();
  const [error, setError] = useState<unknown>(null);
  if (item.state !== "ready") return null;
  async function download(): Promise<void> {
    setError(null);
    try {
      const path = await findDownloadPath(item.patient_id, item.export_id);
      if (path) location.assign(path);
    } catch (failure) {
      setError(failure);
    }
  }
  return (
    <>
      <Button
        variant="default"
        size="compact-sm"
        onClick={() => void download()}
        aria-label={t("exports.download_of", { at: formatDateTime(item.created_at, zone) })}
      >
        {t("exports.download")}
      </Button>
      {item.size !== null && <span className={layout.muted}> {formatFileSize(item.size)}</span>}
      <ActionError error={error} />
    </>
  );
}
