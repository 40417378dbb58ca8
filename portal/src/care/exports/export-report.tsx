// Buttons that export a report as a document.
import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { getLanguage } from "../../accounts/session/preferences.ts";
import { ActionError } from "../../platform/design/query-states.tsx";
import { saveFile } from "../../platform/design/save-file.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { DOCUMENT_FORMATS, type DocumentFormat, readReportDocument } from "./api.ts";

const TYPES: Record<DocumentFormat, string> = {
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
};

export function ExportReport({ reportId, number }: { reportId: string; number: number }) {
  const t = useTranslation();
  const [state, setState] = useState<{ busy: DocumentFormat | null; error: unknown }>({ busy: null, error: null });
  async function save(format: DocumentFormat): Promise<void> {
    setState({ busy: format, error: null });
    try {
      const bytes = await readReportDocument(reportId, format, getLanguage());
      saveFile(new Blob([bytes], { type: TYPES[format] }), `report-${number}.${format}`);
      setState({ busy: null, error: null });
    } catch (error) {
      setState({ busy: null, error });
    }
  }
  return (
    <>
      <Group gap="xs">
        {DOCUMENT_FORMATS.map((format) => (
          <Button
            key={format}
            variant="default"
            loading={state.busy === format}
            disabled={state.busy !== null && state.busy !== format}
            onClick={() => void save(format)}
          >
            {t(`exports.report_${format}`)}
          </Button>
        ))}
      </Group>
      <ActionError error={state.error} />
    </>
  );
}
